"""Worst-case logits of a linear classifier."""

from keras import ops

from robustzoo.losses._labels import nan_unless_class
from robustzoo.threats import L1, L2, Linf


def linear_worst_case(y, logits, kernel, threat: Linf | L2 | L1):
    """z_j + eps ||w_j - w_y||_* for every class j, shape (B, L): z_y stays as it is.

    Of z = W x + b, the most that z_j - z_y reaches over ||d|| <= eps, for every j on its own; so
    the largest of them is another class than `y` exactly if some x + d is misclassified. The dual
    norm ||.||_* is L1 of Linf, L2 of L2 and Linf of L1. x + d may leave [0, 1].

    Kolter & Madry, 2018, "Adversarial robustness: theory and practice", chapter 2, for two classes.

    Args:
        y: labels (B,).
        logits: (B, L), of clean images.
        kernel: (d, L), whose columns are the w_j.
    """
    gaps = _dual_norm(kernel[:, :, None] - kernel[:, None, :], threat)
    y = ops.cast(y, "int32")
    worst = logits + threat.eps * ops.take(gaps, y, axis=0)
    return nan_unless_class(worst, y[:, None], logits.shape[-1])


def _dual_norm(gap, threat):
    """||gap||_* over the first axis of (d, L, L), with gradient 0 where the gap is 0."""
    if isinstance(threat, Linf):
        return ops.sum(ops.abs(gap), axis=0)
    if isinstance(threat, L2):
        return ops.sqrt(ops.maximum(ops.sum(ops.square(gap), axis=0), 1e-24))
    if isinstance(threat, L1):
        return ops.max(ops.abs(gap), axis=0)
    raise ValueError(f"threat must be Linf, L2 or L1. Received: {threat!r}")
