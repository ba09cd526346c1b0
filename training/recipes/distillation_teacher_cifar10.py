"""The teacher of defensive distillation (Papernot et al.), CIFAR-10, WRN-10-4 at T = 100.

Command:  python -m training.train distillation_teacher_cifar10
Expect:   clean 85.90, FGSM 80.10, PGD-20 78.60, PGD-20 margin 0.00, PGD-40 78.60 % at Linf 8/255,
          1,000 test images; 24 minutes on CPU, 2 cores
"""

from functools import partial

import keras

from robustzoo.architectures import CIFAR10_MEAN, CIFAR10_STD
from robustzoo.attacks import PGD
from robustzoo.defenses import StandardTraining
from robustzoo.losses import margin, tempered_cross_entropy
from robustzoo.threats import Linf
from training.augment import crop_flip
from training.recipe import Recipe
from training.schedules import one_cycle


def recipe() -> Recipe:
    net = {"depth": 10, "width": 4, "stem_strides": 2, "mean": CIFAR10_MEAN, "std": CIFAR10_STD}
    return Recipe(
        dataset="cifar10",
        architecture="wide_resnet",
        arguments=net,
        defense=partial(
            StandardTraining,
            criterion=partial(tempered_cross_entropy, temperature=100.0),
            average_decay=0.998,
        ),
        threat=None,
        method="distillation",
        epochs=15,
        batch_size=128,
        learning_rate=partial(one_cycle, peak=2e-3, rise=0.3),
        optimizer=keras.optimizers.Adam,
        augment=crop_flip,
        precision="mixed_bfloat16",
        validation_attack=PGD(Linf(8 / 255), step_size=2 / 255, steps=10, loss=margin),
    )
