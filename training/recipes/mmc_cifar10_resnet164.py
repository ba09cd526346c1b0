"""MMC, CIFAR-10, ResNet v2 of 164 layers, as published.

Command:  python -m training.train mmc_cifar10_resnet164
Expect:   not run by us; published: 93.6 clean, 31.4 PGD-50 at 8/256 (arXiv:1905.10626)
"""

from functools import partial

from robustzoo.defenses import StandardTraining
from robustzoo.losses import mmc
from training.recipe import Recipe
from training.recipes._mmc_published import published


def recipe() -> Recipe:
    return published(
        partial(StandardTraining, criterion=mmc), "mmc", clean=0.936, head={}, depth=164, rate=0.02
    )
