"""RT (Shaham et al.), one linearised step in L1, MNIST, their own net.

Command:  python -m training.train rt_l1_mnist_shaham
Expect:   not yet measured; published: 99.12 clean
"""

from robustzoo.threats import L1
from training.recipe import Recipe
from training.recipes._rt_published import published


def recipe() -> Recipe:
    return published(L1(0.55), clean=0.9912)
