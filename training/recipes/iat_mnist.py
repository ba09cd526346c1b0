"""IAT (Lamb et al., arXiv:1906.06784), MNIST, Linf 0.3, the SmallCNN of TRADES.

Command:  python -m training.train iat_mnist
Expect:   clean 99.70, FGSM 81.50, PGD-20 64.70, PGD-20 margin 66.40, PGD-40 82.50 % at Linf 0.3,
          1,000 test images; 6 minutes on CPU, 2 cores
"""

from functools import partial

import keras

from robustzoo.attacks import PGD
from robustzoo.defenses import MixupTraining
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
        defense=partial(MixupTraining, attack=attack, average_decay=0.995),
        threat=threat,
        method="iat",
        epochs=5,
        batch_size=128,
        learning_rate=partial(one_cycle, peak=2e-3, rise=0.3),
        optimizer=keras.optimizers.Adam,
        precision="mixed_bfloat16",
        warmup_epochs=0.5,
        validation_attack=PGD(threat, step_size=0.05, steps=10),
    )
