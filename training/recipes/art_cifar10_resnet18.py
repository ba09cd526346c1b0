"""ART (Madry et al.), CIFAR-10, Linf 8/255, ResNet-18, for an accelerator.

Command:  python -m training.train art_cifar10_resnet18
Expect:   not run by us; published: 87.3 clean, 45.8 PGD-20 of a WideResNet-34-10
          (Madry et al., arXiv:1706.06083)
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
    attack = PGD(threat, step_size=2 / 255, steps=10)
    return Recipe(
        dataset="cifar10",
        architecture="preact_resnet",
        arguments={"depth": 18, "mean": CIFAR10_MEAN, "std": CIFAR10_STD},
        defense=partial(MadryTraining, attack=attack, average_decay=0.999),
        threat=threat,
        epochs=30,
        batch_size=128,
        learning_rate=partial(one_cycle, peak=0.2, rise=0.3),
        # 5e-4 as L2 in the loss, which goes through the momentum; Keras' decay does not.
        optimizer=partial(
            keras.optimizers.SGD, momentum=0.9, nesterov=True, weight_decay=5e-4 / (1 - 0.9)
        ),
        augment=crop_flip,
        precision="mixed_bfloat16",
        validation_attack=PGD(threat, step_size=2 / 255, steps=10),
        patience=6,
    )
