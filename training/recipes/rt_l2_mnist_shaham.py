"""RT (Shaham et al.), one linearised step in L2, MNIST, their own net.

Command:  python -m training.train rt_l2_mnist_shaham
Expect:   not yet measured; published: 99.29 clean
"""

from robustzoo.threats import L2
from training.recipe import Recipe
from training.recipes._rt_published import published


def recipe() -> Recipe:
    return published(L2(0.55), clean=0.9929)
