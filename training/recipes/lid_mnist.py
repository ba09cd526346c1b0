"""Local intrinsic dimensionality as a detector (Ma et al., arXiv:1801.02613), MNIST, beside RCE.

Nothing is trained: rce-mnist gets the detector, fitted to 2,000 training images and their PGD-40
examples, and a threshold that 5 % of the validation images fall short of.

Command:  python -m training.train lid_mnist
Expect:   clean 94.00, PGD-40 class 28.10, PGD-100 evasion x 2 0.50, BIM-100 evasion 0.70 % at
          Linf 0.3, 1,000 test images; 0 minutes on CPU, 2 cores
"""

from training.recipe import Recipe
from training.recipes._beside_rce import beside_rce


def recipe() -> Recipe:
    return beside_rce("lid", "LID", examples=2000)
