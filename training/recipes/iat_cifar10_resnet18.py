"""IAT, CIFAR-10, Linf 8/255, ResNet-18, on the schedule of Pang et al., arXiv:1909.11515.

Their net is a ResNet-50 of three stages with a 5x5 stem; ours is the pre-activation ResNet-18.

Command:  python -m training.train iat_cifar10_resnet18
Expect:   not run by us; published: 89.7 clean, 46.7 PGD-10 (recalled, low confidence)
"""

from functools import partial

import keras

from robustzoo.architectures import CIFAR10_MEAN, CIFAR10_STD
from robustzoo.attacks import PGD
from robustzoo.defenses import MixupTraining
from robustzoo.threats import Linf
from training.augment import crop_flip
from training.recipe import Recipe
from training.schedules import piecewise


def recipe() -> Recipe:
    threat = Linf(8 / 255)
    attack = PGD(threat, step_size=2 / 255, steps=10)
    net = {"depth": 18, "mean": CIFAR10_MEAN, "std": CIFAR10_STD}
    return Recipe(
        dataset="cifar10",
        architecture="preact_resnet",
        arguments=net,
        defense=partial(MixupTraining, attack=attack),
        threat=threat,
        method="iat",
        epochs=200,
        batch_size=64,
        learning_rate=partial(piecewise, peak=0.1, at=(0.5, 0.75)),
        optimizer=partial(keras.optimizers.SGD, momentum=0.9),
        augment=crop_flip,
        published={
            "clean": 0.897,
            "PGD-10": 0.467,
            "source": "Pang et al., arXiv:1909.11515; recalled, low confidence",
        },
    )
