"""TRADES, MNIST, Linf 0.3, SmallCNN.

Command:  python -m training.train trades_mnist
Expect:   clean 99.20, FGSM 97.51, PGD-20 95.78, PGD-20 margin 95.87, PGD-40 96.96 % at Linf 0.3,
          10,000 test images; 22 minutes on CPU, 2 cores
"""

from functools import partial

import keras

from robustzoo.attacks import PGD
from robustzoo.defenses import Trades
from robustzoo.threats import Linf
from training.recipe import Recipe
from training.schedules import one_cycle


def recipe() -> Recipe:
    threat = Linf(0.3)
    attack = PGD(threat, step_size=0.075, steps=7)
    return Recipe(
        dataset="mnist",
        architecture="small_cnn",
        arguments={},
        defense=partial(Trades, attack=attack, beta=3.0, average_decay=0.999),
        threat=threat,
        epochs=20,
        batch_size=128,
        learning_rate=partial(one_cycle, peak=2e-3, rise=0.3),
        optimizer=keras.optimizers.Adam,
        precision="mixed_bfloat16",
        warmup_epochs=2.0,
        validation_attack=PGD(threat, step_size=0.05, steps=10),
        published={
            "clean": 0.9948,
            "PGD-40": 0.9607,
            "source": "Zhang et al., arXiv:1901.08573, 100 epochs",
        },
    )
