"""ART (Madry et al.), MNIST, Linf 0.3, the SmallCNN of TRADES.

Command:  python -m training.train art_mnist
Expect:   clean 98.90, FGSM 95.68, PGD-20 90.55, PGD-20 margin 90.81, PGD-40 x 2 92.69 % at Linf
          0.3, 10,000 test images; 27 minutes on CPU, 2 cores
"""

from functools import partial

import keras

from robustzoo.attacks import PGD
from robustzoo.defenses import MadryTraining
from robustzoo.threats import Linf
from training.recipe import Recipe
from training.schedules import one_cycle


def recipe() -> Recipe:
    threat = Linf(0.3)
    attack = PGD(threat, step_size=0.1, steps=5)
    return Recipe(
        dataset="mnist",
        architecture="small_cnn",
        arguments={},
        defense=partial(MadryTraining, attack=attack, average_decay=0.995),
        threat=threat,
        epochs=4,
        batch_size=128,
        learning_rate=partial(one_cycle, peak=2e-3, rise=0.3),
        optimizer=keras.optimizers.Adam,
        warmup_epochs=0.5,
        validation_attack=PGD(threat, step_size=0.05, steps=10),
        published={
            "clean": 0.988,
            "FGSM": 0.956,
            "PGD-40": 0.932,
            "source": "Madry et al., arXiv:1706.06083, their own larger net",
        },
    )
