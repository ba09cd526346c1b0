"""MMC (Pang et al., arXiv:1905.10626), CIFAR-10, WRN-10-4, stem of stride 2.

Command:  python -m training.train mmc_cifar10
Expect:   clean 87.80, FGSM 62.30, PGD-20 61.50, PGD-20 margin 1.90, PGD-40 61.70, APGD mmc 12.50
          % at Linf 8/255, 1,000 test images; 35 minutes on CPU, 2 cores
"""

from functools import partial

import keras

from robustzoo.architectures import CIFAR10_MEAN, CIFAR10_STD
from robustzoo.attacks import PGD
from robustzoo.defenses import StandardTraining
from robustzoo.losses import mmc
from robustzoo.threats import Linf
from training.augment import crop_flip
from training.recipe import Recipe
from training.schedules import one_cycle


def recipe() -> Recipe:
    net = {"depth": 10, "width": 4, "stem_strides": 2, "mean": CIFAR10_MEAN, "std": CIFAR10_STD}
    return Recipe(
        dataset="cifar10",
        architecture="center_head",
        arguments={"base": {"architecture": "wide_resnet", "arguments": net}},
        defense=partial(StandardTraining, criterion=mmc, average_decay=0.998),
        threat=None,
        method="mmc",
        epochs=20,
        batch_size=128,
        learning_rate=partial(one_cycle, peak=0.02, rise=0.3),
        optimizer=partial(keras.optimizers.SGD, momentum=0.9, nesterov=True, weight_decay=5e-4),
        augment=crop_flip,
        precision="mixed_bfloat16",
        validation_attack=PGD(Linf(8 / 255), step_size=2 / 255, steps=10, loss=mmc),
        published={
            "clean": 0.927,
            "source": "Pang et al., arXiv:1905.10626, a ResNet v2 of 47 layers, 200 epochs",
        },
    )
