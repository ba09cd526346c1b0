"""Standard training, MNIST, the SmallCNN of TRADES.

Command:  python -m training.train standard_mnist
Expect:   clean 99.17, FGSM 24.66, PGD-20 0.03, PGD-20 margin 0.04, PGD-40 0.28 % at Linf 0.3,
          10,000 test images; 3 minutes on CPU, 2 cores
"""

from functools import partial

import keras

from robustzoo.defenses import StandardTraining
from training.recipe import Recipe
from training.schedules import one_cycle


def recipe() -> Recipe:
    return Recipe(
        dataset="mnist",
        architecture="small_cnn",
        arguments={},
        defense=StandardTraining,
        threat=None,
        epochs=2,
        batch_size=128,
        learning_rate=partial(one_cycle, peak=2e-3, rise=0.3),
        optimizer=keras.optimizers.Adam,
    )
