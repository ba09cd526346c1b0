"""Confidence as a detector (Hendrycks & Gimpel, arXiv:1610.02136), MNIST, beside RCE.

Nothing is trained: rce-mnist gets the detector, and a threshold that 5 % of the validation images
fall short of.

Command:  python -m training.train confidence_mnist
Expect:   clean 96.10, PGD-40 class 9.80, PGD-100 evasion x 2 5.40, BIM-100 evasion 8.90 % at Linf
          0.3, 1,000 test images; 0 minutes on CPU, 2 cores
"""

from training.recipe import Recipe
from training.recipes._beside_rce import beside_rce


def recipe() -> Recipe:
    return beside_rce("confidence", "Confidence")
