"""Difference of logits ratio."""

from keras import ops

from robustzoo.losses.margin import margin


def dlr(y, logits):
    """(max_{j != y} z_j - z_y) / (z_(1) - z_(3) + 1e-12), shape (B,); z_(i) sorted descending.

    Invariant to shift and scale of `logits` (B, L), which needs L >= 3.
    Croce & Hein, 2020, arXiv:2003.01690.
    """
    if logits.shape[-1] < 3:
        raise ValueError(f"dlr needs at least 3 classes. Received logits of shape {logits.shape}")
    top, _ = ops.top_k(logits, 3)
    return margin(y, logits) / (top[:, 0] - top[:, 2] + 1e-12)
