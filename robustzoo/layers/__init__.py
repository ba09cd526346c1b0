"""Keras layers of the defenses; each serialises under the package name `robustzoo`."""

from robustzoo.layers.center_logits import CenterLogits
from robustzoo.layers.max_mahalanobis_centers import max_mahalanobis_centers
from robustzoo.layers.random_centers import random_centers
from robustzoo.layers.reverse_logits import ReverseLogits

__all__ = [
    "CenterLogits",
    "max_mahalanobis_centers",
    "random_centers",
    "ReverseLogits"]
