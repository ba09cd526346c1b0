"""RT (Shaham et al.), one linearised step in L2, MNIST, their own net.

Command:  python -m training.train rt_l2_mnist_shaham
Expect:   clean 99.80, FGSM 99.20, PGD-20 98.80, PGD-20 margin 98.80, PGD-40 99.20 % at L2 0.55,
          1,000 test images; 6 minutes on CPU, 2 cores
"""

from robustzoo.threats import L2
from training.recipe import Recipe
from training.recipes._rt_published import published


def recipe() -> Recipe:
    return published(L2(0.55), clean=0.9929)
