"""TRADES by the script of Zhang et al., MNIST, SmallCNN: its schedule, attack and beta of 1.

Their paper prints the numbers for a beta of 6.

Command:  python -m training.train trades_mnist_full
Expect:   not run by us; published: 99.48 clean, 96.07 PGD-40 (arXiv:1901.08573)
"""

from functools import partial

import keras

from robustzoo.attacks import PGD
from robustzoo.defenses import Trades
from robustzoo.threats import Linf
from training.recipe import Recipe
from training.schedules import piecewise


def recipe() -> Recipe:
    threat = Linf(0.3)
    attack = PGD(threat, step_size=0.01, steps=40, start="gaussian")
    return Recipe(
        dataset="mnist",
        architecture="small_cnn",
        arguments={},
        defense=partial(Trades, attack=attack, beta=1.0),
        threat=threat,
        epochs=100,
        batch_size=128,
        learning_rate=partial(piecewise, peak=0.01, at=(0.55, 0.75, 0.9)),
        optimizer=partial(keras.optimizers.SGD, momentum=0.9),
    )
