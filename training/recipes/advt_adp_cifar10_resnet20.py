"""Adversarial training with ADP (Pang et al.), CIFAR-10, PGD, three ResNet-20,
nearly as published.

Command:  python -m training.train advt_adp_cifar10_resnet20
Expect:   not run by us; published: 52.8 FGSM at 0.04; 34.0 BIM, 36.2 PGD, 38.8 MIM at 0.02
          (arXiv:1901.08846)

Without their L2 of 1e-4 on the kernels: Keras' Adam has but a decoupled decay.
"""

from functools import partial

import keras

from robustzoo.architectures import CIFAR10_MEAN, CIFAR10_STD
from robustzoo.attacks import PGD
from robustzoo.defenses import AdaptiveDiversity, RandomEps
from robustzoo.threats import Linf
from training.augment import crop_flip
from training.recipe import Recipe
from training.schedules import piecewise

MEMBER = {
    "architecture": "resnet_v1",
    "arguments": {"depth": 20, "mean": CIFAR10_MEAN, "std": CIFAR10_STD},
}


def recipe() -> Recipe:
    attack = RandomEps(PGD(Linf(0.05), step_size=0.005, steps=10), least=0.2)  # eps in 0.01 .. 0.05
    return Recipe(
        dataset="cifar10",
        architecture="ensemble",
        arguments={"members": [MEMBER] * 3},
        defense=partial(AdaptiveDiversity, attack=attack, alpha=2.0, beta=0.5),
        threat=Linf(0.02),
        method="advt_adp",
        epochs=180,
        batch_size=64,
        learning_rate=partial(piecewise, peak=1e-3, at=(80 / 180, 120 / 180, 160 / 180)),
        optimizer=keras.optimizers.Adam,
        augment=partial(crop_flip, pad=3),
        validation_attack=PGD(Linf(0.02), step_size=0.005, steps=7),
    )
