"""Losses: pure functions of labels and logits, one value per example."""

from robustzoo.losses.cross_entropy import cross_entropy
from robustzoo.losses.dlr import dlr
from robustzoo.losses.kl_divergence import kl_divergence
from robustzoo.losses.margin import margin

__all__ = ["cross_entropy", "dlr", "kl_divergence", "margin"]
