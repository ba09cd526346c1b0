"""Adversarial training (untargeted), CIFAR-10, ResNet v2 of 47 layers, as published.

Command:  python -m training.train at_sce_cifar10_resnet47
Expect:   not run by us; published: 80.9 clean, 53.9 PGD-50 at 8/256 (arXiv:1905.10626)
"""

from functools import partial

from robustzoo.defenses import MadryTraining
from training.recipe import Recipe
from training.recipes._mmc_published import attack, published


def recipe() -> Recipe:
    return published(partial(MadryTraining, attack=attack()), None, clean=0.809, robust=True)
