"""A loss that looks for what is wrong and accepted."""

from keras import ops

from robustzoo.losses import margin


def evasion(y, logits):
    """max_{j != y} z_j - z_y where that is negative, else -max(0, threshold - score); shape (B,).

    For attacks that ascend `loss=` on a model of `abstaining`, whose `logits` (B, L + 1) carry the
    score: z are the first L, and the last is max_j z_j + threshold - score. First the class is
    changed, then the detector is deceived; where one is lost the other waits. It is 0 exactly where
    the class is wrong and accepted. Selective descent of Bryniarski et al., 2021,
    arXiv:2106.15023.
    """
    classes = logits[:, :-1]
    lead = margin(y, classes)
    shortfall = logits[:, -1] - ops.max(classes, axis=-1)
    return ops.where(lead < 0, lead, -ops.relu(shortfall))
