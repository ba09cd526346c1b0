"""Margin loss."""

from keras import ops

from robustzoo.losses._own import own, rivals


def margin(y, logits):
    """max_{j != y} z_j - z_y of `logits` (B, L), shape (B,): positive where misclassified.

    Carlini & Wagner, 2017, arXiv:1608.04644 (their f_6 without the clip).
    """
    return ops.max(rivals(logits, y), axis=-1) - own(logits, y)
