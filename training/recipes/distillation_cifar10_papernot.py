"""Defensive distillation, CIFAR-10, net and schedule of Papernot et al., arXiv:1511.04508.

As recalled, low confidence. They let the rate decay;
the numbers of that are not known to us.

Command:  python -m training.train distillation_cifar10_papernot
Expect:   not run by us; published: 80.95 clean before distillation (recalled)
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
    net = {"input_shape": (32, 32, 3), "filters": 64, "units": 256}
    return Recipe(
        dataset="cifar10",
        architecture="small_cnn",
        arguments=net,
        defense=partial(Distillation, temperature=100.0),
        threat=None,
        epochs=50,
        batch_size=128,
        learning_rate=partial(constant, peak=0.01),
        optimizer=partial(keras.optimizers.SGD, momentum=0.9),
        validation_attack=PGD(Linf(8 / 255), step_size=2 / 255, steps=10, loss=margin),
        teacher="distillation-teacher-cifar10-papernot",
        published={
            "clean": 0.8095,
            "source": "Papernot et al., arXiv:1511.04508, not distilled; recalled, low confidence",
        },
    )
