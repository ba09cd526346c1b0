"""RAT (Araujo et al.), CIFAR-10, Linf 8/255, WideResNet-28-10, nearly as published.

Command:  python -m training.train rat_cifar10_wrn28_10 --output FOLDER
          (the weights are too large for the repository)
Expect:   not run by us; published: 80 clean, 40 PGD-20 with 80 draws (the thesis, later than
          arXiv:1903.10219). Its eps is 0.031 and its batch 100; we decay the rate along half a
          cosine
"""

from functools import partial

import keras

from robustzoo.attacks import PGD
from robustzoo.defenses import MadryTraining
from robustzoo.threats import Linf
from training.augment import crop_flip
from training.recipe import Recipe
from training.schedules import cosine

BASE = {"architecture": "wide_resnet", "arguments": {"depth": 28, "width": 10}}
NET = {"base": BASE, "image": 0.2, "inner": 0.0, "distribution": "uniform"}


def recipe() -> Recipe:
    threat = Linf(8 / 255)
    attack = PGD(threat, step_size=threat.eps / 5, steps=10)
    return Recipe(
        dataset="cifar10",
        architecture="noisy",
        arguments=NET,
        released={"architecture": "noisy", "arguments": {**NET, "draws": 80}},
        defense=partial(MadryTraining, attack=attack, average_decay=0.999, label_smoothing=0.1),
        threat=threat,
        method="rat",
        epochs=200,
        batch_size=128,
        learning_rate=partial(cosine, peak=0.1),
        # 3e-4 as L2 in the loss, which goes through the momentum; Keras' decay does not.
        optimizer=partial(
            keras.optimizers.SGD, momentum=0.9, nesterov=True, weight_decay=3e-4 / (1 - 0.9)
        ),
        augment=crop_flip,
        precision="mixed_bfloat16",
        validation_attack=PGD(threat, step_size=2 / 255, steps=10, draws=2),
    )
