"""Mixup (Zhang et al., arXiv:1710.09412), CIFAR-10, WRN-10-4 with a stem of stride 2.

Command:  python -m training.train mixup_cifar10
Expect:   clean 86.10, FGSM 4.00, PGD-20 0.00, PGD-20 margin 0.00, PGD-40 0.00 % at Linf 8/255,
          1,000 test images; 20 minutes on CPU, 2 cores
"""

from functools import partial

import keras

from robustzoo.architectures import CIFAR10_MEAN, CIFAR10_STD
from robustzoo.attacks import PGD
from robustzoo.defenses import MixupTraining
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
        defense=partial(MixupTraining, average_decay=0.998),
        threat=None,
        method="mixup",
        epochs=16,
        batch_size=128,
        learning_rate=partial(one_cycle, peak=0.2, rise=0.3),
        optimizer=partial(keras.optimizers.SGD, momentum=0.9, nesterov=True, weight_decay=5e-4),
        augment=crop_flip,
        precision="mixed_bfloat16",
        validation_attack=PGD(Linf(8 / 255), step_size=2 / 255, steps=10),
        published={
            "clean": 0.938,
            "source": "Pang et al., arXiv:1909.11515, a ResNet-50; recalled, low confidence",
        },
    )
