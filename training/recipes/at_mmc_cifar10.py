"""Adversarial training with MMC (Pang et al., arXiv:1905.10626), CIFAR-10, Linf 8/255.

Pre-activation ResNet-10 with a stem of stride 2, as fast-at-cifar10, from whose
weights it starts, but for the head.

Command:  python -m training.train at_mmc_cifar10
Expect:   clean 71.90, FGSM 46.80, PGD-20 41.80, PGD-20 margin 41.50, PGD-40 46.30, APGD mmc 41.00
          % at Linf 8/255, 1,000 test images; 22 minutes on CPU, 2 cores
"""

from functools import partial

import keras

from robustzoo.architectures import CIFAR10_MEAN, CIFAR10_STD
from robustzoo.attacks import PGD
from robustzoo.defenses import MadryTraining
from robustzoo.losses import mmc
from robustzoo.threats import Linf
from training.augment import crop_flip
from training.recipe import Recipe
from training.schedules import one_cycle


def recipe() -> Recipe:
    threat = Linf(8 / 255)
    attack = PGD(threat, step_size=10 / 255, steps=1, loss=mmc)
    net = {"depth": 10, "stem_strides": 2, "mean": CIFAR10_MEAN, "std": CIFAR10_STD}
    return Recipe(
        dataset="cifar10",
        architecture="center_head",
        arguments={"base": {"architecture": "preact_resnet", "arguments": net}},
        defense=partial(MadryTraining, attack=attack, criterion=mmc, average_decay=0.998),
        threat=threat,
        method="at_mmc",
        initial="fast-at-cifar10",
        epochs=6,
        batch_size=128,
        learning_rate=partial(one_cycle, peak=0.02, rise=0.3),
        optimizer=partial(keras.optimizers.SGD, momentum=0.9, nesterov=True, weight_decay=5e-4),
        augment=crop_flip,
        precision="mixed_bfloat16",
        validation_attack=PGD(threat, step_size=2 / 255, steps=7, loss=mmc),
        published={
            "clean": 0.818,
            "source": "Pang et al., arXiv:1905.10626, a ResNet v2 of 47 layers, 200 epochs",
        },
    )
