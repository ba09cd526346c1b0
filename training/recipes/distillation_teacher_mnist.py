"""The teacher of defensive distillation (Papernot et al.), MNIST, SmallCNN at T = 100.

Command:  python -m training.train distillation_teacher_mnist
Expect:   clean 99.50, FGSM 99.30, PGD-20 98.70, PGD-20 margin 0.00, PGD-40 98.70 % at Linf 0.3,
          1,000 test images; 5 minutes on CPU, 2 cores
"""

from functools import partial

import keras

from robustzoo.attacks import PGD
from robustzoo.defenses import StandardTraining
from robustzoo.losses import margin, tempered_cross_entropy
from robustzoo.threats import Linf
from training.recipe import Recipe
from training.schedules import one_cycle


def recipe() -> Recipe:
    return Recipe(
        dataset="mnist",
        architecture="small_cnn",
        arguments={},
        defense=partial(
            StandardTraining,
            criterion=partial(tempered_cross_entropy, temperature=100.0),
            average_decay=0.995,
        ),
        threat=None,
        method="distillation",
        epochs=5,
        batch_size=128,
        learning_rate=partial(one_cycle, peak=2e-3, rise=0.3),
        optimizer=keras.optimizers.Adam,
        validation_attack=PGD(Linf(0.1), step_size=0.02, steps=10, loss=margin),
    )
