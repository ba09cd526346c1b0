"""Losses: pure functions of labels and logits, one value per example.

Those that a user trains with are `keras.losses.Loss` classes too, for `model.compile(loss=...)`.
"""

from robustzoo.losses.adp import ADP, adp
from robustzoo.losses.center_loss import center_loss
from robustzoo.losses.cross_entropy import cross_entropy
from robustzoo.losses.dlr import dlr
from robustzoo.losses.dlr_targeted import dlr_targeted
from robustzoo.losses.ensemble_entropy import ensemble_entropy
from robustzoo.losses.kl_divergence import kl_divergence
from robustzoo.losses.large_margin_gm import LargeMarginGM, large_margin_gm
from robustzoo.losses.linear_worst_case import linear_worst_case
from robustzoo.losses.log_diversity import log_diversity
from robustzoo.losses.margin import margin
from robustzoo.losses.mmc import MMC, mmc
from robustzoo.losses.reverse_cross_entropy import ReverseCrossEntropy, reverse_cross_entropy
from robustzoo.losses.robust_linear import robust_linear
from robustzoo.losses.soft_cross_entropy import soft_cross_entropy
from robustzoo.losses.tempered_cross_entropy import TemperedCrossEntropy, tempered_cross_entropy

__all__ = [
    "ADP",
    "MMC",
    "LargeMarginGM",
    "ReverseCrossEntropy",
    "TemperedCrossEntropy",
    "adp",
    "center_loss",
    "cross_entropy",
    "dlr",
    "dlr_targeted",
    "ensemble_entropy",
    "kl_divergence",
    "large_margin_gm",
    "linear_worst_case",
    "log_diversity",
    "margin",
    "mmc",
    "reverse_cross_entropy",
    "robust_linear",
    "soft_cross_entropy",
    "tempered_cross_entropy",
]
