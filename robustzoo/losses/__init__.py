"""Losses: pure functions of labels and logits, one value per example."""

from robustzoo.losses.cross_entropy import cross_entropy
from robustzoo.losses.dlr import dlr
from robustzoo.losses.dlr_targeted import dlr_targeted
from robustzoo.losses.kl_divergence import kl_divergence
from robustzoo.losses.margin import margin

__all__ = ["cross_entropy", "dlr", "dlr_targeted", "kl_divergence", "margin"]
