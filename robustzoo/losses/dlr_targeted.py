"""Targeted difference of logits ratio."""

from keras import ops

from robustzoo.losses._own import own


def dlr_targeted(y, logits, target):
    """(z_t - z_y) / (z_(1) - (z_(3) + z_(4)) / 2 + 1e-12), shape (B,); z_(i) sorted descending.

    Positive where class t is ahead of class y. Invariant to shift and scale of `logits` (B, L),
    which needs L >= 4; `y` and `target` are classes (B,). Croce & Hein, 2020, arXiv:2003.01690.
    """
    if logits.shape[-1] < 4:
        raise ValueError(
            f"dlr_targeted needs at least 4 classes. Received logits of shape {logits.shape}"
        )
    top, _ = ops.top_k(logits, 4)
    scale = top[:, 0] - 0.5 * (top[:, 2] + top[:, 3]) + 1e-12
    return (own(logits, target) - own(logits, y)) / scale
