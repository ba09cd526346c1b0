"""RSE (Liu et al.), CIFAR-10, WRN-10-4 with a stem of stride 2 and noise.

Command:  python -m training.train rse_cifar10
Expect:   clean 82.00, FGSM 18.00, PGD-20 11.50, PGD-20 margin 12.50, PGD-40 20.00 % at Linf
          8/255, 200 test images; 27 minutes on CPU, 2 cores
"""

from functools import partial

import keras

from robustzoo.architectures import CIFAR10_MEAN, CIFAR10_STD
from robustzoo.attacks import PGD
from robustzoo.defenses import StandardTraining
from robustzoo.threats import Linf
from training.augment import crop_flip
from training.recipe import Recipe
from training.schedules import one_cycle

BASE = {
    "architecture": "wide_resnet",
    "arguments": {
        "depth": 10,
        "width": 4,
        "stem_strides": 2,
        "mean": CIFAR10_MEAN,
        "std": CIFAR10_STD,
    },
}
NET = {"base": BASE, "image": 0.2, "inner": 0.1}


def recipe() -> Recipe:
    return Recipe(
        dataset="cifar10",
        architecture="noisy",
        arguments=NET,
        released={"architecture": "noisy", "arguments": {**NET, "draws": 10}},
        defense=partial(StandardTraining, average_decay=0.998),
        threat=None,
        method="rse",
        epochs=10,
        batch_size=128,
        learning_rate=partial(one_cycle, peak=0.2, rise=0.3),
        optimizer=partial(keras.optimizers.SGD, momentum=0.9, nesterov=True, weight_decay=5e-4),
        augment=crop_flip,
        precision="mixed_bfloat16",
        validation_attack=PGD(Linf(2 / 255), step_size=0.5 / 255, steps=7),
    )
