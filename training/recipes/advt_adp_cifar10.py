"""Adversarial training with ADP (Pang et al.), CIFAR-10, FGSM, three ResNet-8.

Command:  python -m training.train advt_adp_cifar10
Expect:   clean 62.10, FGSM 41.50, PGD-20 39.20, PGD-20 margin 34.00, PGD-40 42.70 % at Linf 0.02,
          1,000 test images; 27 minutes on CPU, 2 cores
"""

from functools import partial

import keras

from robustzoo.architectures import CIFAR10_MEAN, CIFAR10_STD
from robustzoo.attacks import PGD, fgsm
from robustzoo.defenses import AdaptiveDiversity, RandomEps
from robustzoo.threats import Linf
from training.augment import crop_flip
from training.recipe import Recipe
from training.schedules import one_cycle

MEMBER = {
    "architecture": "resnet_v1",
    "arguments": {"depth": 8, "mean": CIFAR10_MEAN, "std": CIFAR10_STD},
}


def recipe() -> Recipe:
    attack = RandomEps(fgsm(Linf(0.05)), least=0.2)  # eps in 0.01 .. 0.05
    return Recipe(
        dataset="cifar10",
        architecture="ensemble",
        arguments={"members": [MEMBER] * 3},
        defense=partial(AdaptiveDiversity, attack=attack, alpha=2.0, beta=0.5, average_decay=0.998),
        threat=Linf(0.02),
        method="advt_adp",
        epochs=6,
        batch_size=128,
        learning_rate=partial(one_cycle, peak=4e-3, rise=0.3),
        optimizer=keras.optimizers.Adam,
        augment=crop_flip,
        precision="mixed_bfloat16",
        validation_attack=PGD(Linf(0.02), step_size=0.005, steps=7),
    )
