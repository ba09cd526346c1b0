"""What the published ensembles of ADP on MNIST share: three ResNet-20, 40 epochs."""

import dataclasses
from functools import partial

from robustzoo.attacks import PGD
from robustzoo.threats import Linf
from training.recipe import Recipe
from training.schedules import piecewise

MEMBER = {"architecture": "resnet_v1", "arguments": {"depth": 20, "input_shape": (28, 28, 1)}}


def on_mnist(recipe: Recipe) -> Recipe:
    """The published recipe on CIFAR-10 as the paper has it on MNIST."""
    return dataclasses.replace(
        recipe,
        dataset="mnist",
        arguments={"members": [MEMBER] * 3},
        epochs=40,
        learning_rate=partial(piecewise, peak=1e-3, at=(15 / 40, 30 / 40)),
        augment=None,
        validation_attack=PGD(Linf(0.1), step_size=0.01, steps=10),
    )
