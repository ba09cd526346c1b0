"""Softmax cross-entropy (SCE), CIFAR-10, ResNet v2 of 47 layers, as published.

Command:  python -m training.train sce_cifar10_resnet47
Expect:   not run by us; published: 92.9 clean, 3.6 PGD-50 at 8/256 (arXiv:1905.10626)
"""

from robustzoo.defenses import StandardTraining
from training.recipe import Recipe
from training.recipes._mmc_published import published


def recipe() -> Recipe:
    return published(StandardTraining, None, clean=0.929)
