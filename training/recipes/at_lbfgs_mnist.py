"""AT (Szegedy et al.) with a pool of L-BFGS examples, MNIST, the SmallCNN of TRADES.

Command:  python -m training.train at_lbfgs_mnist
Expect:   clean 99.20, FGSM 73.10, PGD-20 10.60, PGD-20 margin 12.00, PGD-40 25.10 % at Linf 0.3,
          1,000 test images; 9 minutes on CPU, 2 cores
"""

from functools import partial

import keras

from robustzoo.attacks import LBFGS, PGD
from robustzoo.defenses import AdversarialPool
from robustzoo.threats import Linf
from training.recipe import Recipe
from training.schedules import one_cycle


def recipe() -> Recipe:
    attack = LBFGS(searches=2, iterations=10, initial_c=1.0)
    return Recipe(
        dataset="mnist",
        architecture="small_cnn",
        arguments={},
        defense=partial(AdversarialPool, attack=attack, pool=4096, refresh=8, average_decay=0.995),
        threat=None,
        method="at_lbfgs",
        epochs=5,
        batch_size=128,
        learning_rate=partial(one_cycle, peak=2e-3, rise=0.3),
        optimizer=keras.optimizers.Adam,
        precision="mixed_bfloat16",
        validation_attack=PGD(Linf(0.1), step_size=0.02, steps=10),
        published={
            "clean": 0.988,
            "source": "Szegedy et al., arXiv:1312.6199, an MLP 100-100 (recalled: low confidence)",
        },
    )
