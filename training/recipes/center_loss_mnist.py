"""Centre loss (Wen et al., 2016), MNIST, SmallCNN.

Command:  python -m training.train center_loss_mnist
Expect:   clean 99.90, FGSM 62.90, PGD-20 0.00, PGD-20 margin 0.00, PGD-40 0.00 % at Linf 0.3,
          1,000 test images; 12 minutes on CPU, 2 cores
"""

from functools import partial

import keras

from robustzoo.attacks import PGD
from robustzoo.defenses import CenterLossTraining
from robustzoo.threats import Linf
from training.recipe import Recipe
from training.schedules import one_cycle


def recipe() -> Recipe:
    return Recipe(
        dataset="mnist",
        architecture="small_cnn",
        arguments={},
        defense=partial(CenterLossTraining, weight=0.01, rate=0.5, average_decay=0.995),
        threat=None,
        method="center_loss",
        epochs=5,
        batch_size=128,
        learning_rate=partial(one_cycle, peak=2e-3, rise=0.3),
        optimizer=keras.optimizers.Adam,
        validation_attack=PGD(Linf(0.1), step_size=0.02, steps=10),
    )
