"""MMC, CIFAR-10, ResNet v2 of 47 layers, as published.

Command:  python -m training.train mmc_cifar10_resnet47
Expect:   not run by us; published: 92.7 clean, 24.8 PGD-50 at 8/256 (arXiv:1905.10626)
"""

from functools import partial

from robustzoo.defenses import StandardTraining
from robustzoo.losses import mmc
from training.recipe import Recipe
from training.recipes._mmc_published import published


def recipe() -> Recipe:
    return published(
        partial(StandardTraining, criterion=mmc), "mmc", clean=0.927, head={}, rate=0.02
    )
