"""Defensive distillation (Papernot et al., arXiv:1511.04508), MNIST, SmallCNN at T = 100.

Command:  python -m training.train distillation_mnist
Expect:   clean 99.50, FGSM 99.10, PGD-20 98.90, PGD-20 margin 0.30, PGD-40 98.90 % at Linf 0.3,
          1,000 test images; 5 minutes on CPU, 2 cores
"""

from functools import partial

import keras

from robustzoo.attacks import PGD
from robustzoo.defenses import Distillation
from robustzoo.losses import margin
from robustzoo.threats import Linf
from training.recipe import Recipe
from training.schedules import one_cycle


def recipe() -> Recipe:
    return Recipe(
        dataset="mnist",
        architecture="small_cnn",
        arguments={},
        defense=partial(Distillation, temperature=100.0, average_decay=0.995),
        threat=None,
        epochs=5,
        batch_size=128,
        learning_rate=partial(one_cycle, peak=2e-3, rise=0.3),
        optimizer=keras.optimizers.Adam,
        validation_attack=PGD(Linf(0.1), step_size=0.02, steps=10, loss=margin),
        teacher="distillation-teacher-mnist",
        published={
            "clean": 0.9951,
            "source": "Papernot et al., arXiv:1511.04508, not distilled; recalled, low confidence",
        },
    )
