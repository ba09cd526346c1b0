"""The teacher of defensive distillation, CIFAR-10, net and schedule of Papernot et al.

arXiv:1511.04508, as recalled. They let the rate decay;
the numbers of that are not known to us.

Command:  python -m training.train distillation_teacher_cifar10_papernot
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
    net = {"input_shape": (32, 32, 3), "filters": 64, "units": 256}
    return Recipe(
        dataset="cifar10",
        architecture="small_cnn",
        arguments=net,
        defense=partial(
            StandardTraining, criterion=partial(tempered_cross_entropy, temperature=100.0)
        ),
        threat=None,
        method="distillation",
        epochs=50,
        batch_size=128,
        learning_rate=partial(constant, peak=0.01),
        optimizer=partial(keras.optimizers.SGD, momentum=0.9),
        validation_attack=PGD(Linf(8 / 255), step_size=2 / 255, steps=10, loss=margin),
    )
