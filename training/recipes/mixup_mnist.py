"""Mixup (Zhang et al., arXiv:1710.09412), MNIST, the SmallCNN of TRADES.

Command:  python -m training.train mixup_mnist
Expect:   clean 99.70, FGSM 34.60, PGD-20 0.00, PGD-20 margin 0.00, PGD-40 0.00 % at Linf 0.3,
          1,000 test images; 5 minutes on CPU, 2 cores
"""

from functools import partial

import keras

from robustzoo.attacks import PGD
from robustzoo.defenses import MixupTraining
from robustzoo.threats import Linf
from training.recipe import Recipe
from training.schedules import one_cycle


def recipe() -> Recipe:
    return Recipe(
        dataset="mnist",
        architecture="small_cnn",
        arguments={},
        defense=partial(MixupTraining, average_decay=0.995),
        threat=None,
        method="mixup",
        epochs=5,
        batch_size=128,
        learning_rate=partial(one_cycle, peak=2e-3, rise=0.3),
        optimizer=keras.optimizers.Adam,
        validation_attack=PGD(Linf(0.1), step_size=0.02, steps=10),
    )
