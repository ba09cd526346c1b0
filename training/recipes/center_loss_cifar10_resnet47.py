"""Centre loss, CIFAR-10, ResNet v2 of 47 layers, scheduled as published.

The weight of the loss is that of its authors on MNIST; that of the MMC paper is not known.

Command:  python -m training.train center_loss_cifar10_resnet47
Expect:   not run by us; published: 92.8 clean, 4.3 PGD-50 at 8/256 (arXiv:1905.10626)
"""

from functools import partial

from robustzoo.defenses import CenterLossTraining
from training.recipe import Recipe
from training.recipes._mmc_published import published


def recipe() -> Recipe:
    return published(partial(CenterLossTraining, weight=0.01), "center_loss", clean=0.928)
