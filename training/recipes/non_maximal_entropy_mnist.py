"""Non-maximal entropy as a detector (Pang et al., arXiv:1706.00633), MNIST, beside RCE.

Nothing is trained: rce-mnist gets the detector, and a threshold that 5 % of the validation images
fall short of.

Command:  python -m training.train non_maximal_entropy_mnist
Expect:   clean 95.30, PGD-40 class 18.20, PGD-100 evasion x 2 8.70, BIM-100 evasion 12.30 % at
          Linf 0.3, 1,000 test images; 0 minutes on CPU, 2 cores
"""

from training.recipe import Recipe
from training.recipes._beside_rce import beside_rce


def recipe() -> Recipe:
    return beside_rce("non_maximal_entropy", "NonMaximalEntropy")
