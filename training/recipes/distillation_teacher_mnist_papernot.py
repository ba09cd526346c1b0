"""The teacher of defensive distillation, MNIST, net and schedule of Papernot et al.

arXiv:1511.04508, as recalled.

Command:  python -m training.train distillation_teacher_mnist_papernot
Expect:   not run by us
"""

from functools import partial

import keras

from robustzoo.attacks import PGD
from robustzoo.defenses import StandardTraining
from robustzoo.losses import margin, tempered_cross_entropy
from robustzoo.threats import Linf
from training.recipe import Recipe
from training.schedules import constant


def recipe() -> Recipe:
    return Recipe(
        dataset="mnist",
        architecture="small_cnn",
        arguments={},
        defense=partial(
            StandardTraining, criterion=partial(tempered_cross_entropy, temperature=100.0)
        ),
        threat=None,
        method="distillation",
        epochs=50,
        batch_size=128,
        learning_rate=partial(constant, peak=0.1),
        optimizer=partial(keras.optimizers.SGD, momentum=0.5),
        validation_attack=PGD(Linf(0.1), step_size=0.02, steps=10, loss=margin),
    )
