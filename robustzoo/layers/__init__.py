"""Keras layers of the defenses; each serialises under the package name `robustzoo`."""

from robustzoo.layers.center_logits import CenterLogits
from robustzoo.layers.fused_batch_normalization import FusedBatchNormalization
from robustzoo.layers.log_mean_probability import LogMeanProbability
from robustzoo.layers.max_mahalanobis_centers import max_mahalanobis_centers
from robustzoo.layers.mixup_pool import MixupPool
from robustzoo.layers.noise import Noise
from robustzoo.layers.random_centers import random_centers
from robustzoo.layers.rejection import Rejection
from robustzoo.layers.reverse_logits import ReverseLogits
from robustzoo.layers.temperature import Temperature

__all__ = [
    "CenterLogits",
    "FusedBatchNormalization",
    "LogMeanProbability",
    "MixupPool",
    "Noise",
    "Rejection",
    "ReverseLogits",
    "Temperature",
    "max_mahalanobis_centers",
    "random_centers",
]
