"""MI-OL on mixup, CIFAR-10, ResNet-18, on the schedule of Pang et al., arXiv:1909.11515.

Their net is a ResNet-50 of three stages with a 5x5 stem; ours is the pre-activation ResNet-18.
Their pool has 10,000 images, ours the 1,000 that still fit into the model folder.

Command:  python -m training.train mixup_inference_cifar10_resnet18
Expect:   not run by us; published: 83.9 clean, 26.1 PGD-10 (recalled, low confidence)
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

NET = {"depth": 18, "mean": CIFAR10_MEAN, "std": CIFAR10_STD}
BASE = {"architecture": "preact_resnet", "arguments": NET}


def recipe() -> Recipe:
    return Recipe(
        dataset="cifar10",
        architecture="preact_resnet",
        arguments=NET,
        defense=MixupTraining,
        threat=None,
        method="mixup_inference",
        epochs=200,
        batch_size=64,
        learning_rate=partial(piecewise, peak=0.01, at=(0.5, 0.75)),
        optimizer=partial(keras.optimizers.SGD, momentum=0.9),
        augment=crop_flip,
        released={"architecture": "mixup_inference", "arguments": {"base": BASE, "other": 30}},
        validation_attack=PGD(Linf(8 / 255), step_size=2 / 255, steps=10),
        published={
            "clean": 0.839,
            "source": "Pang et al., arXiv:1909.11515; recalled, low confidence",
        },
    )
