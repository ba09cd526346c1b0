"""RT (Shaham et al.), one linearised step in Linf, MNIST, their own net.

Command:  python -m training.train rt_linf_mnist_shaham
Expect:   clean 99.70, FGSM 98.90, PGD-20 98.70, PGD-20 margin 98.60, PGD-40 98.90 % at Linf
          0.055, 1,000 test images; 6 minutes on CPU, 2 cores
"""

from robustzoo.threats import Linf
from training.recipe import Recipe
from training.recipes._rt_published import published


def recipe() -> Recipe:
    return published(Linf(0.055), clean=0.9934)
