"""Baseline of ADP: an ensemble of three SmallCNN of TRADES trained side by side, MNIST.

Command:  python -m training.train ensemble_baseline_mnist
Expect:   clean 99.90, FGSM 28.80, PGD-20 0.00, PGD-20 margin 0.00, PGD-40 0.70 % at Linf 0.3,
          1,000 test images; 25 minutes on CPU, 2 cores
"""

from functools import partial

import keras

from robustzoo.attacks import PGD
from robustzoo.defenses import AdaptiveDiversity
from robustzoo.threats import Linf
from training.recipe import Recipe
from training.schedules import one_cycle

MEMBER = {"architecture": "small_cnn", "arguments": {}}


def recipe() -> Recipe:
    return Recipe(
        dataset="mnist",
        architecture="ensemble",
        arguments={"members": [MEMBER] * 3},
        defense=partial(AdaptiveDiversity, alpha=0.0, beta=0.0, average_decay=0.995),
        threat=None,
        method="ensemble",
        epochs=5,
        batch_size=128,
        learning_rate=partial(one_cycle, peak=2e-3, rise=0.3),
        optimizer=keras.optimizers.Adam,
        validation_attack=PGD(Linf(0.1), step_size=0.02, steps=10),
        published={
            "clean": 0.9968,
            "source": "Pang et al., arXiv:1901.08846, three ResNet-20; recalled, low confidence",
        },
    )
