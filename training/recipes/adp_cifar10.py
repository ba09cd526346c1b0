"""ADP (Pang et al.), CIFAR-10, an ensemble of three ResNet-8.

Command:  python -m training.train adp_cifar10
Expect:   clean 81.80, FGSM 6.40, PGD-20 0.00, PGD-20 margin 0.00, PGD-40 0.00 % at Linf 8/255,
          1,000 test images; 25 minutes on CPU, 2 cores
"""

from functools import partial

import keras

from robustzoo.architectures import CIFAR10_MEAN, CIFAR10_STD
from robustzoo.attacks import PGD
from robustzoo.defenses import AdaptiveDiversity
from robustzoo.threats import Linf
from training.augment import crop_flip
from training.recipe import Recipe
from training.schedules import one_cycle

MEMBER = {
    "architecture": "resnet_v1",
    "arguments": {"depth": 8, "mean": CIFAR10_MEAN, "std": CIFAR10_STD},
}


def recipe() -> Recipe:
    return Recipe(
        dataset="cifar10",
        architecture="ensemble",
        arguments={"members": [MEMBER] * 3},
        defense=partial(AdaptiveDiversity, alpha=2.0, beta=0.5, average_decay=0.998),
        threat=None,
        method="adp",
        epochs=10,
        batch_size=128,
        learning_rate=partial(one_cycle, peak=4e-3, rise=0.3),
        optimizer=keras.optimizers.Adam,
        augment=crop_flip,
        precision="mixed_bfloat16",
        validation_attack=PGD(Linf(0.01), step_size=0.002, steps=7),
        published={
            "clean": 0.9344,
            "source": "Pang et al., arXiv:1901.08846, three ResNet-20; recalled, low confidence",
        },
    )
