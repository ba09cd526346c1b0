"""ADP (Pang et al.), CIFAR-10, an ensemble of three ResNet-20, nearly as published.

Command:  python -m training.train adp_cifar10_resnet20
Expect:   not run by us; published: 93.44 clean (recalled, low confidence; arXiv:1901.08846)

Without their L2 of 1e-4 on the kernels: Keras' Adam has but a decoupled decay.
"""

from functools import partial

import keras

from robustzoo.architectures import CIFAR10_MEAN, CIFAR10_STD
from robustzoo.attacks import PGD
from robustzoo.defenses import AdaptiveDiversity
from robustzoo.threats import Linf
from training.augment import crop_flip
from training.recipe import Recipe
from training.schedules import piecewise

MEMBER = {
    "architecture": "resnet_v1",
    "arguments": {"depth": 20, "mean": CIFAR10_MEAN, "std": CIFAR10_STD},
}


def recipe() -> Recipe:
    return Recipe(
        dataset="cifar10",
        architecture="ensemble",
        arguments={"members": [MEMBER] * 3},
        defense=partial(AdaptiveDiversity, alpha=2.0, beta=0.5),
        threat=None,
        method="adp",
        epochs=180,
        batch_size=64,
        learning_rate=partial(piecewise, peak=1e-3, at=(80 / 180, 120 / 180, 160 / 180)),
        optimizer=keras.optimizers.Adam,
        augment=partial(crop_flip, pad=3),
        validation_attack=PGD(Linf(0.01), step_size=0.002, steps=7),
    )
