"""RSE (Liu et al.), CIFAR-10, VGG16, as published; for an accelerator.

Command:  python -m training.train rse_cifar10_vgg16 --output FOLDER
          (the weights are too large for the repository)
Expect:   not run by us; published: 86.06 under C&W at c = 0.03 (recalled; arXiv:1712.00673)
"""

from functools import partial

import keras

from robustzoo.attacks import PGD
from robustzoo.defenses import StandardTraining
from robustzoo.threats import Linf
from training.augment import crop_flip
from training.recipe import Recipe
from training.schedules import piecewise

BASE = {"architecture": "vgg16", "arguments": {}}  # on pixels in [0, 1], without normalisation
NET = {"base": BASE, "image": 0.2, "inner": 0.1}


def recipe() -> Recipe:
    return Recipe(
        dataset="cifar10",
        architecture="noisy",
        arguments=NET,
        released={"architecture": "noisy", "arguments": {**NET, "draws": 50}},
        defense=StandardTraining,
        threat=None,
        method="rse",
        epochs=200,
        batch_size=128,
        learning_rate=partial(piecewise, peak=0.1, at=(0.4, 0.7, 0.9)),
        # 5e-4 as L2 in the loss, which goes through the momentum; Keras' decay does not.
        optimizer=partial(keras.optimizers.SGD, momentum=0.9, weight_decay=5e-4 / (1 - 0.9)),
        augment=crop_flip,
        validation_attack=PGD(Linf(2 / 255), step_size=0.5 / 255, steps=7),
    )
