"""RAT (Araujo et al.), MNIST, Linf 0.3, the SmallCNN of TRADES with noise on the image.

Command:  python -m training.train rat_mnist
Expect:   clean 100.00, FGSM 89.00, PGD-20 65.00, PGD-20 margin 67.00, PGD-40 81.50 % at Linf 0.3,
          200 test images; 23 minutes on CPU, 2 cores
"""

from functools import partial

import keras

from robustzoo.attacks import PGD
from robustzoo.defenses import MadryTraining
from robustzoo.threats import Linf
from training.recipe import Recipe
from training.schedules import one_cycle

NET = {"base": {"architecture": "small_cnn", "arguments": {}}, "image": 0.25, "inner": 0.0}


def recipe() -> Recipe:
    threat = Linf(0.3)
    return Recipe(
        dataset="mnist",
        architecture="noisy",
        arguments=NET,
        released={"architecture": "noisy", "arguments": {**NET, "draws": 10}},
        defense=partial(
            MadryTraining, attack=PGD(threat, step_size=0.1, steps=5), average_decay=0.995
        ),
        threat=threat,
        method="rat",
        epochs=5,
        batch_size=128,
        learning_rate=partial(one_cycle, peak=2e-3, rise=0.3),
        optimizer=keras.optimizers.Adam,
        warmup_epochs=0.5,
        validation_attack=PGD(threat, step_size=0.05, steps=10, draws=2),
    )
