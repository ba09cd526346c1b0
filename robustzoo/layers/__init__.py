"""Keras layers of the defenses; each serialises under the package name `robustzoo`."""

from robustzoo.layers.reverse_logits import ReverseLogits

__all__ = ["ReverseLogits"]
