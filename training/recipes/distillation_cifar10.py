"""Defensive distillation (Papernot et al., arXiv:1511.04508), CIFAR-10, WRN-10-4 at T = 100.

The net is the WRN-10-4 with a stem of stride 2.

Command:  python -m training.train distillation_cifar10
Expect:   clean 86.40, FGSM 78.10, PGD-20 77.30, PGD-20 margin 0.00, PGD-40 77.40 % at Linf 8/255,
          1,000 test images; 32 minutes on CPU, 2 cores
"""

from functools import partial

import keras

from robustzoo.architectures import CIFAR10_MEAN, CIFAR10_STD
from robustzoo.attacks import PGD
from robustzoo.defenses import Distillation
from robustzoo.losses import margin
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
        defense=partial(Distillation, temperature=100.0, average_decay=0.998),
        threat=None,
        epochs=15,
        batch_size=128,
        learning_rate=partial(one_cycle, peak=2e-3, rise=0.3),
        optimizer=keras.optimizers.Adam,
        augment=crop_flip,
        precision="mixed_bfloat16",
        validation_attack=PGD(Linf(8 / 255), step_size=2 / 255, steps=10, loss=margin),
        teacher="distillation-teacher-cifar10",
        published={
            "clean": 0.8095,
            "source": "Papernot et al., arXiv:1511.04508, not distilled; recalled, low confidence",
        },
    )
