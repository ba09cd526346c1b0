"""LWA (Huang et al.), one step of the loss surrogate in L2 1.5, MNIST, the SmallCNN of TRADES.

Command:  python -m training.train lwa_mnist
Expect:   clean 99.70, FGSM 96.50, PGD-20 76.00, PGD-20 margin 77.00, PGD-40 88.80 % at L2 1.5,
          1,000 test images; 7 minutes on CPU, 2 cores

The paper divides pixels by 256, so that its radius is 1.506 here.
"""

from functools import partial

import keras

from robustzoo.attacks import PGD, fgsm
from robustzoo.defenses import MadryTraining
from robustzoo.threats import L2
from training.recipe import Recipe
from training.schedules import one_cycle


def recipe() -> Recipe:
    threat = L2(1.5)
    return Recipe(
        dataset="mnist",
        architecture="small_cnn",
        arguments={},
        defense=partial(MadryTraining, attack=fgsm(threat), average_decay=0.995),
        threat=threat,
        method="lwa",
        epochs=5,
        batch_size=128,
        learning_rate=partial(one_cycle, peak=2e-3, rise=0.3),
        optimizer=keras.optimizers.Adam,
        warmup_epochs=0.5,
        validation_attack=PGD(threat, step_size=0.4, steps=10),
        published={
            "clean": 0.991,
            "FGSM": 0.867,
            "source": "Huang et al., arXiv:1511.03034: LeNet if clean, MLP 500-500 attacked, not "
            "clipped to [0, 1]",
        },
    )
