"""A base classifier for smoothing (Cohen et al.), CIFAR-10, sigma 0.25, from art-cifar10.

Command:  python -m training.train smoothed_cifar10
Expect:   clean 68.40, FGSM 56.20, PGD-20 55.80, PGD-20 margin 55.50, PGD-40 57.30 % at L2 0.25,
          1,000 test images; 20 minutes on CPU, 2 cores

Its radii:  robustzoo smooth model_cards/smoothed-cifar10 --sigma 0.25 --examples 200 --draws 10000
"""

from functools import partial

import keras

from robustzoo.architectures import CIFAR10_MEAN, CIFAR10_STD
from robustzoo.defenses import NoiseTraining
from robustzoo.threats import L2
from training.augment import crop_flip
from training.recipe import Recipe
from training.schedules import one_cycle


def recipe() -> Recipe:
    sigma = 0.25
    return Recipe(
        dataset="cifar10",
        architecture="preact_resnet",
        arguments={"depth": 10, "stem_strides": 2, "mean": CIFAR10_MEAN, "std": CIFAR10_STD},
        defense=partial(NoiseTraining, sigma=sigma, average_decay=0.998),
        threat=L2(sigma),  # where PGD judges the net itself; the radii are of `robustzoo smooth`
        initial="art-cifar10",
        epochs=6,
        batch_size=128,
        learning_rate=partial(one_cycle, peak=0.1, rise=0.2),
        optimizer=partial(keras.optimizers.SGD, momentum=0.9, nesterov=True, weight_decay=5e-4),
        augment=crop_flip,
        precision="mixed_bfloat16",
    )
