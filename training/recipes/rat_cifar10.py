"""RAT (Araujo et al.), CIFAR-10, Linf 8/255, pre-activation ResNet-10 with noise on the image.

It starts from fast-at-cifar10.

Command:  python -m training.train rat_cifar10
Expect:   clean 79.00, FGSM 47.50, PGD-20 43.00, PGD-20 margin 41.50, PGD-40 48.00 % at Linf
          8/255, 200 test images; 27 minutes on CPU, 2 cores
"""

from functools import partial

import keras

from robustzoo.architectures import CIFAR10_MEAN, CIFAR10_STD
from robustzoo.attacks import PGD
from robustzoo.defenses import MadryTraining
from robustzoo.threats import Linf
from training.augment import crop_flip
from training.recipe import Recipe
from training.schedules import one_cycle

BASE = {
    "architecture": "preact_resnet",
    "arguments": {"depth": 10, "stem_strides": 2, "mean": CIFAR10_MEAN, "std": CIFAR10_STD},
}
NET = {"base": BASE, "image": 0.1, "inner": 0.0}  # the paper's 0.25 is for a WideResNet-28-10


def recipe() -> Recipe:
    threat = Linf(8 / 255)
    attack = PGD(threat, step_size=10 / 255, steps=1)
    return Recipe(
        dataset="cifar10",
        architecture="noisy",
        arguments=NET,
        released={"architecture": "noisy", "arguments": {**NET, "draws": 10}},
        defense=partial(MadryTraining, attack=attack, average_decay=0.998),
        threat=threat,
        method="rat",
        initial="fast-at-cifar10",
        epochs=5,
        batch_size=128,
        learning_rate=partial(one_cycle, peak=0.05, rise=0.3),
        optimizer=partial(keras.optimizers.SGD, momentum=0.9, nesterov=True, weight_decay=5e-4),
        augment=crop_flip,
        precision="mixed_bfloat16",
        validation_attack=PGD(threat, step_size=2 / 255, steps=7, draws=2),
        published={
            "clean": 0.74,
            "PGD-20": 0.35,
            "source": "Araujo, thesis (later than arXiv:1903.10219), WideResNet-28-10, N(0, 0.25), "
            "eps 0.031, 80 draws",
        },
    )
