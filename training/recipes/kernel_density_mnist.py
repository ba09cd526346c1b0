"""Kernel density as a detector (Pang et al., arXiv:1706.00633), MNIST, beside RCE.

Nothing is trained: rce-mnist gets the detector, fitted to 1,000 training images of each class, and
a threshold that 5 % of the validation images fall short of.

Command:  python -m training.train kernel_density_mnist
Expect:   clean 95.60, PGD-40 class 11.10, PGD-100 evasion x 2 5.80, BIM-100 evasion 9.40 % at
          Linf 0.3, 1,000 test images; 0 minutes on CPU, 2 cores
"""

from training.recipe import Recipe
from training.recipes._beside_rce import beside_rce


def recipe() -> Recipe:
    return beside_rce("kernel_density", "KernelDensity")
