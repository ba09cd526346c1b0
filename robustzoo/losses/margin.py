"""Margin loss."""

from keras import ops


def margin(y, logits):
    """max_{j != y} z_j - z_y of `logits` (B, L), shape (B,): positive where misclassified.

    Carlini & Wagner, 2017, arXiv:1608.04644 (their f_6 without the clip).
    """
    mask = ops.one_hot(y, logits.shape[-1], dtype="bool")
    own = ops.sum(ops.where(mask, logits, 0.0), axis=-1)
    return ops.max(ops.where(mask, -float("inf"), logits), axis=-1) - own
