"""Baseline of ADP, MNIST, an ensemble of three ResNet-20, as published.

Command:  python -m training.train ensemble_baseline_mnist_resnet20
Expect:   not run by us; published: 99.68 clean (recalled, low confidence; arXiv:1901.08846),
          50.7 after PGD-10 at Linf 0.1

Without their L2 of 1e-4 on the kernels: Keras' Adam has but a decoupled decay.
"""

import dataclasses
from functools import partial

from robustzoo.attacks import PGD
from robustzoo.threats import Linf
from training.recipe import Recipe
from training.recipes import ensemble_baseline_cifar10_resnet20
from training.schedules import piecewise

MEMBER = {"architecture": "resnet_v1", "arguments": {"depth": 20, "input_shape": (28, 28, 1)}}


def recipe() -> Recipe:
    return dataclasses.replace(
        ensemble_baseline_cifar10_resnet20.recipe(),
        dataset="mnist",
        arguments={"members": [MEMBER] * 3},
        epochs=40,
        learning_rate=partial(piecewise, peak=1e-3, at=(15 / 40, 30 / 40)),
        augment=None,
        validation_attack=PGD(Linf(0.1), step_size=0.01, steps=10),
    )
