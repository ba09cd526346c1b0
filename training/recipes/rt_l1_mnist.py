"""RT (Shaham et al.), one linearised step in L1, MNIST, the SmallCNN of TRADES.

Command:  python -m training.train rt_l1_mnist
Expect:   clean 99.90, FGSM 99.80, APGD-CE 99.70, APGD margin 99.70 % at L1 0.55, 1,000 test
          images; 5 minutes on CPU, 2 cores

The paper's radius is 2.0 standard deviations of MNIST padded to 32x32, each 0.2752.
"""

from functools import partial

import keras

from robustzoo.attacks import PGD, fgsm
from robustzoo.defenses import MadryTraining
from robustzoo.threats import L1
from training.recipe import Recipe
from training.schedules import one_cycle


def recipe() -> Recipe:
    threat = L1(0.55)
    return Recipe(
        dataset="mnist",
        architecture="small_cnn",
        arguments={},
        defense=partial(MadryTraining, attack=fgsm(threat), average_decay=0.995),
        threat=threat,
        method="rt",
        epochs=5,
        batch_size=128,
        learning_rate=partial(one_cycle, peak=2e-3, rise=0.3),
        optimizer=keras.optimizers.Adam,
        validation_attack=PGD(threat, step_size=threat.eps / 4, steps=10),
        published={
            "clean": 0.9912,
            "source": "the authors' code to arXiv:1511.05432, a smaller net, 120 epochs",
        },
    )
