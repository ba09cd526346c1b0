"""RSE (Liu et al.), MNIST, the SmallCNN of TRADES with noise before every convolution.

Command:  python -m training.train rse_mnist
Expect:   clean 100.00, FGSM 26.50, PGD-20 0.00, PGD-20 margin 0.00, PGD-40 1.00 % at Linf 0.3,
          200 test images; 7 minutes on CPU, 2 cores
"""

from functools import partial

import keras

from robustzoo.attacks import PGD
from robustzoo.defenses import StandardTraining
from robustzoo.threats import Linf
from training.recipe import Recipe
from training.schedules import one_cycle

NET = {"base": {"architecture": "small_cnn", "arguments": {}}, "image": 0.2, "inner": 0.1}


def recipe() -> Recipe:
    return Recipe(
        dataset="mnist",
        architecture="noisy",
        arguments=NET,
        released={"architecture": "noisy", "arguments": {**NET, "draws": 10}},
        defense=partial(StandardTraining, average_decay=0.995),
        threat=None,
        method="rse",
        epochs=5,
        batch_size=128,
        learning_rate=partial(one_cycle, peak=2e-3, rise=0.3),
        optimizer=keras.optimizers.Adam,
        validation_attack=PGD(Linf(0.1), step_size=0.02, steps=10),
    )
