"""Standard training, CIFAR-10, WideResNet-10-2.

Command:  python -m training.train standard_cifar10
Expect:   clean 61.96, FGSM 6.77, PGD-20 0.05, PGD-20 margin 0.06, PGD-40 0.09 % at Linf 8/255,
          10,000 test images; 5 minutes on CPU, 2 cores
"""

from functools import partial

import keras

from robustzoo.architectures import CIFAR10_MEAN, CIFAR10_STD
from robustzoo.defenses import StandardTraining
from training.augment import crop_flip
from training.recipe import Recipe
from training.schedules import one_cycle


def recipe() -> Recipe:
    return Recipe(
        dataset="cifar10",
        architecture="wide_resnet",
        arguments={"depth": 10, "width": 2, "mean": CIFAR10_MEAN, "std": CIFAR10_STD},
        defense=partial(StandardTraining, average_decay=0.995),
        threat=None,
        epochs=1,
        batch_size=128,
        learning_rate=partial(one_cycle, peak=0.2, rise=0.3),
        optimizer=partial(keras.optimizers.SGD, momentum=0.9, nesterov=True, weight_decay=5e-4),
        augment=crop_flip,
    )
