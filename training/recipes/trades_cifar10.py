"""TRADES, CIFAR-10, Linf 8/255, pre-activation ResNet-10 from art-cifar10.

Its attack and its weight decay are those of art_cifar10, for the reasons given there.

Command:  python -m training.train trades_cifar10
Expect:   clean 72.37, FGSM 44.84, PGD-20 41.61, PGD-20 margin 38.43, PGD-40 45.77 % at Linf
          8/255, 10,000 test images; 15 minutes on CPU, 2 cores
"""

from functools import partial

import keras

from robustzoo.architectures import CIFAR10_MEAN, CIFAR10_STD
from robustzoo.attacks import PGD
from robustzoo.defenses import Trades
from robustzoo.threats import Linf
from training.augment import crop_flip
from training.recipe import Recipe
from training.schedules import one_cycle


def recipe() -> Recipe:
    threat = Linf(8 / 255)
    attack = PGD(Linf(9 / 255), step_size=6 / 255, steps=2, start="uniform")
    return Recipe(
        dataset="cifar10",
        architecture="preact_resnet",
        arguments={"depth": 10, "stem_strides": 2, "mean": CIFAR10_MEAN, "std": CIFAR10_STD},
        defense=partial(Trades, attack=attack, beta=6.0, average_decay=0.998),
        threat=threat,
        initial="art-cifar10",
        epochs=3,
        batch_size=128,
        learning_rate=partial(one_cycle, peak=0.05, rise=0.2),
        optimizer=partial(keras.optimizers.SGD, momentum=0.9, nesterov=True, weight_decay=5e-3),
        augment=crop_flip,
        precision="mixed_bfloat16",
        validation_attack=PGD(threat, step_size=2 / 255, steps=7),
        published={
            "clean": 0.8492,
            "FGSM": 0.6106,
            "PGD-20": 0.5661,
            "source": "Zhang et al., arXiv:1901.08573, WideResNet-34-10, eps 0.031",
        },
    )
