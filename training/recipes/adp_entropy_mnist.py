"""ADP without its diversity, beta 0 (Pang et al.), MNIST, an ensemble of three SmallCNN of TRADES.

Command:  python -m training.train adp_entropy_mnist
Expect:   clean 99.80, FGSM 50.70, PGD-20 0.10, PGD-20 margin 1.20, PGD-40 1.80 % at Linf 0.3,
          1,000 test images; 29 minutes on CPU, 2 cores
"""

import dataclasses
from functools import partial

from robustzoo.defenses import AdaptiveDiversity
from training.recipe import Recipe
from training.recipes import adp_mnist


def recipe() -> Recipe:
    return dataclasses.replace(
        adp_mnist.recipe(),
        defense=partial(AdaptiveDiversity, alpha=2.0, beta=0.0, average_decay=0.995),
        method="adp_entropy",
        published={
            "clean": 0.9968,
            "source": "Pang et al., arXiv:1901.08846, three ResNet-20; recalled, low confidence",
        },
    )
