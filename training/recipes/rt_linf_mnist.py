"""RT (Shaham et al.), one linearised step in Linf, MNIST, the SmallCNN of TRADES.

Command:  python -m training.train rt_linf_mnist
Expect:   clean 99.36, FGSM 98.60, PGD-20 98.28, PGD-20 margin 98.28, PGD-40 98.41 % at Linf
          0.055, 10,000 test images; 5 minutes on CPU, 2 cores

The paper's radius is 0.2 standard deviations of MNIST padded to 32x32, each 0.2752.
"""

from functools import partial

import keras

from robustzoo.attacks import PGD, fgsm
from robustzoo.defenses import MadryTraining
from robustzoo.threats import Linf
from training.recipe import Recipe
from training.schedules import one_cycle


def recipe() -> Recipe:
    threat = Linf(0.055)
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
            "clean": 0.9934,
            "source": "the authors' code to arXiv:1511.05432, a smaller net, 120 epochs",
        },
    )
