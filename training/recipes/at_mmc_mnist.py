"""Adversarial training with MMC (Pang et al., arXiv:1905.10626), MNIST, Linf 0.3, SmallCNN from
mmc-mnist: from fresh weights it came to give one answer for all.

Command:  python -m training.train at_mmc_mnist
Expect:   clean 99.50, FGSM 96.40, PGD-20 93.40, PGD-20 margin 87.70, PGD-40 94.20, APGD mmc 79.80
          % at Linf 0.3, 1,000 test images; 4 minutes on CPU, 2 cores
"""

from functools import partial

import keras

from robustzoo.attacks import PGD
from robustzoo.defenses import MadryTraining
from robustzoo.losses import mmc
from robustzoo.threats import Linf
from training.recipe import Recipe
from training.schedules import one_cycle


def recipe() -> Recipe:
    threat = Linf(0.3)
    attack = PGD(threat, step_size=0.1, steps=5, loss=mmc)
    return Recipe(
        dataset="mnist",
        architecture="center_head",
        arguments={"base": {"architecture": "small_cnn", "arguments": {}}},
        defense=partial(MadryTraining, attack=attack, criterion=mmc, average_decay=0.995),
        threat=threat,
        method="at_mmc",
        initial="mmc-mnist",
        epochs=6,
        batch_size=128,
        learning_rate=partial(one_cycle, peak=1e-3, rise=0.3),
        optimizer=keras.optimizers.Adam,
        precision="mixed_bfloat16",
        warmup_epochs=2.0,
        validation_attack=PGD(threat, step_size=0.05, steps=10, loss=mmc),
    )
