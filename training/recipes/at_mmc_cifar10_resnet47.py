"""Adversarial training (untargeted) with MMC, CIFAR-10, ResNet v2 of 47 layers, as published.

Command:  python -m training.train at_mmc_cifar10_resnet47
Expect:   not run by us; published: 81.8 clean, 55.0 PGD-50 at 8/256 (arXiv:1905.10626)
"""

from functools import partial

from robustzoo.defenses import MadryTraining
from robustzoo.losses import mmc
from training.recipe import Recipe
from training.recipes._mmc_published import attack, published


def recipe() -> Recipe:
    return published(
        partial(MadryTraining, attack=attack(mmc), criterion=mmc),
        "at_mmc",
        clean=0.818,
        head={},
        robust=True,
        rate=0.02,
    )
