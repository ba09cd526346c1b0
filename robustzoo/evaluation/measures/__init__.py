"""What pictures and tables show, as arrays."""

from robustzoo.evaluation.measures.adversarial_grid import adversarial_grid
from robustzoo.evaluation.measures.certified_curve import certified_curve
from robustzoo.evaluation.measures.eps_curve import eps_curve
from robustzoo.evaluation.measures.loss_surface import loss_surface
from robustzoo.evaluation.measures.norm_curve import norm_curve
from robustzoo.evaluation.measures.norm_summary import norm_summary
from robustzoo.evaluation.measures.steps_curve import steps_curve
from robustzoo.evaluation.measures.transfer_matrix import transfer_matrix

__all__ = [
    "adversarial_grid",
    "certified_curve",
    "eps_curve",
    "loss_surface",
    "norm_curve",
    "norm_summary",
    "steps_curve",
    "transfer_matrix",
]
