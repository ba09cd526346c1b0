"""What the papers prove, as far as it can be computed: functions of NumPy arrays and numbers."""

from robustzoo.theory.adp_optimum import adp_optimum
from robustzoo.theory.expected_distance import expected_distance
from robustzoo.theory.mahalanobis_bound import mahalanobis_bound
from robustzoo.theory.mahalanobis_robustness import mahalanobis_robustness
from robustzoo.theory.rce_bounds import rce_bounds
from robustzoo.theory.sample_density import sample_density
from robustzoo.theory.softmax_jacobian import softmax_jacobian

__all__ = [
    "adp_optimum",
    "expected_distance",
    "mahalanobis_bound",
    "mahalanobis_robustness",
    "rce_bounds",
    "sample_density",
    "softmax_jacobian",
]
