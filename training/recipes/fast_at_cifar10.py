"""Fast adversarial training (Wong et al.), CIFAR-10, Linf 8/255, pre-activation ResNet-10.

One step from a random start; art_cifar10 goes on from here with stronger attacks.

Command:  python -m training.train fast_at_cifar10
Expect:   clean 72.80, FGSM 47.90, PGD-20 42.40, PGD-20 margin 41.20, PGD-40 47.90 % at Linf
          8/255, 1,000 test images; 56 minutes on CPU, 2 cores
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


def recipe() -> Recipe:
    threat = Linf(8 / 255)
    attack = PGD(threat, step_size=10 / 255, steps=1)
    return Recipe(
        dataset="cifar10",
        architecture="preact_resnet",
        arguments={"depth": 10, "stem_strides": 2, "mean": CIFAR10_MEAN, "std": CIFAR10_STD},
        defense=partial(MadryTraining, attack=attack, average_decay=0.999),
        threat=threat,
        epochs=32,
        batch_size=128,
        learning_rate=partial(one_cycle, peak=0.2, rise=0.3),
        optimizer=partial(keras.optimizers.SGD, momentum=0.9, nesterov=True, weight_decay=5e-4),
        augment=crop_flip,
        precision="mixed_bfloat16",
        validation_attack=PGD(threat, step_size=2 / 255, steps=7),
        method="fast_at",
    )
