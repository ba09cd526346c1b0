"""L-GM, CIFAR-10, ResNet v2 of 47 layers, scheduled as published.

Margin and weight are of its authors; those of the MMC paper are not known.

Command:  python -m training.train lgm_cifar10_resnet47
Expect:   not run by us; published: 92.5 clean, 4.9 PGD-50 at 8/256 (arXiv:1905.10626)
"""

from functools import partial

from robustzoo.defenses import StandardTraining
from robustzoo.losses import large_margin_gm
from training.recipe import Recipe
from training.recipes._mmc_published import published


def recipe() -> Recipe:
    return published(
        partial(StandardTraining, criterion=large_margin_gm),
        "large_margin_gm",
        clean=0.925,
        head={"centers": "learned"},
    )
