"""RT (Shaham et al.), one linearised step in Linf, MNIST, their own net.

Command:  python -m training.train rt_linf_mnist_shaham
Expect:   not yet measured; published: 99.34 clean
"""

from robustzoo.threats import Linf
from training.recipe import Recipe
from training.recipes._rt_published import published


def recipe() -> Recipe:
    return published(Linf(0.055), clean=0.9934)
