"""A loss that looks for what is wrong and accepted."""

from keras import ops

from robustzoo.losses import margin


def evasion(y, logits):
    """lead - 1 where lead < 0, else -s / (1 + s), shape (B,).

    For attacks that ascend `loss=` on a model of `abstaining`, whose `logits` (B, L + 1) carry the
    score: lead = max_{j != y} z_j - z_y of the first L, and s = max(0, threshold - score), as the
    last is max_j z_j + threshold - score. First the class is changed, then the detector deceived;
    where one is lost the other waits (selective descent, Bryniarski et al., 2021,
    arXiv:2106.15023). Whatever is wrong exceeds whatever is right, and the loss is 0 where the
    class is wrong and accepted. Use an attack that returns where it ends, such as `PGD`: one that
    returns the last image that fools the model, such as `APGD`, takes a rejected one for that.
    """
    classes = logits[:, :-1]
    lead = margin(y, classes)
    shortfall = ops.relu(logits[:, -1] - ops.max(classes, axis=-1))
    return ops.where(lead < 0, lead - 1.0, -shortfall / (1.0 + shortfall))
