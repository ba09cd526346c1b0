"""What the papers prove, as far as it can be computed: functions of NumPy arrays and numbers."""

from robustzoo.theory.rce_bounds import rce_bounds
from robustzoo.theory.softmax_jacobian import softmax_jacobian

__all__ = ["rce_bounds", "softmax_jacobian"]
