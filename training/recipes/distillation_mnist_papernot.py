"""Defensive distillation, MNIST, net and schedule of Papernot et al., arXiv:1511.04508.

As recalled, low confidence.

Command:  python -m training.train distillation_mnist_papernot
Expect:   not run by us; published: 99.51 clean before distillation (recalled)
"""

from functools import partial

import keras

from robustzoo.attacks import PGD
from robustzoo.defenses import Distillation
from robustzoo.losses import margin
from robustzoo.threats import Linf
from training.recipe import Recipe
from training.schedules import constant


def recipe() -> Recipe:
    return Recipe(
        dataset="mnist",
        architecture="small_cnn",
        arguments={},
        defense=partial(Distillation, temperature=100.0),
        threat=None,
        epochs=50,
        batch_size=128,
        learning_rate=partial(constant, peak=0.1),
        optimizer=partial(keras.optimizers.SGD, momentum=0.5),
        validation_attack=PGD(Linf(0.1), step_size=0.02, steps=10, loss=margin),
        teacher="distillation-teacher-mnist-papernot",
        published={
            "clean": 0.9951,
            "source": "Papernot et al., arXiv:1511.04508, not distilled; recalled, low confidence",
        },
    )
