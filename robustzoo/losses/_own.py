"""The logit of one class."""

from keras import ops

from robustzoo.losses._labels import nan_unless_class


def own(logits, label):
    """logits_y of `logits` (B, L) for classes `label` (B,), shape (B,); NaN where there is none."""
    mask = ops.one_hot(label, logits.shape[-1], dtype="bool")
    values = ops.sum(ops.where(mask, logits, 0.0), axis=-1)
    return nan_unless_class(values, label, logits.shape[-1])


def rivals(logits, label):
    """`logits` (B, L) with -inf in place of the classes `label` (B,)."""
    mask = ops.one_hot(label, logits.shape[-1], dtype="bool")
    return ops.where(mask, -float("inf"), logits)
