"""RT (Shaham et al.), one linearised step in L1, MNIST, their own net.

Command:  python -m training.train rt_l1_mnist_shaham
Expect:   clean 99.80, FGSM 99.70, APGD-CE 99.70, APGD margin 99.70 % at L1 0.55, 1,000 test
          images; 7 minutes on CPU, 2 cores
"""

from robustzoo.threats import L1
from training.recipe import Recipe
from training.recipes._rt_published import published


def recipe() -> Recipe:
    return published(L1(0.55), clean=0.9912)
