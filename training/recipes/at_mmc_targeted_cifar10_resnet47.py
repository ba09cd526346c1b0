"""Adversarial training (random targets) with MMC, CIFAR-10, ResNet v2 of 47 layers, as published.

Command:  python -m training.train at_mmc_targeted_cifar10_resnet47
Expect:   not run by us; published: 83.0 clean, 53.5 PGD-50 at 8/256 (arXiv:1905.10626)
"""

from functools import partial

from robustzoo.defenses import MadryTraining
from robustzoo.losses import mmc
from training.recipe import Recipe
from training.recipes._mmc_published import attack, published


def recipe() -> Recipe:
    return published(
        partial(MadryTraining, attack=attack(mmc, targeted=True), criterion=mmc),
        "at_mmc",
        clean=0.830,
        head={},
        robust=True,
        rate=0.02,
    )
