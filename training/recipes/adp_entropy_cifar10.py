"""ADP without its diversity, beta 0 (Pang et al.), CIFAR-10, an ensemble of three ResNet-8.

Command:  python -m training.train adp_entropy_cifar10
Expect:   clean 82.20, FGSM 4.60, PGD-20 0.00, PGD-20 margin 0.00, PGD-40 0.00 % at Linf 8/255,
          1,000 test images; 25 minutes on CPU, 2 cores
"""

import dataclasses
from functools import partial

from robustzoo.defenses import AdaptiveDiversity
from training.recipe import Recipe
from training.recipes import adp_cifar10


def recipe() -> Recipe:
    return dataclasses.replace(
        adp_cifar10.recipe(),
        defense=partial(AdaptiveDiversity, alpha=2.0, beta=0.0, average_decay=0.998),
        method="adp_entropy",
        published={
            "clean": 0.9326,
            "source": "Pang et al., arXiv:1901.08846, three ResNet-20; recalled, low confidence",
        },
    )
