"""Adversarial training with ADP (Pang et al.), MNIST, Linf 0.3, three SmallCNN of TRADES.

Command:  python -m training.train advt_adp_mnist
Expect:   clean 99.80, FGSM 95.90, PGD-20 85.10, PGD-20 margin 84.70, PGD-40 91.10 % at Linf 0.3,
          1,000 test images; 31 minutes on CPU, 2 cores
"""

from functools import partial

import keras

from robustzoo.attacks import PGD
from robustzoo.defenses import AdaptiveDiversity, RandomEps
from robustzoo.threats import Linf
from training.recipe import Recipe
from training.schedules import one_cycle

MEMBER = {"architecture": "small_cnn", "arguments": {}}


def recipe() -> Recipe:
    threat = Linf(0.3)
    # The paper draws eps from a fifth of the largest on, but has no MNIST model of this kind.
    attack = RandomEps(PGD(threat, step_size=0.1, steps=5), least=0.2)
    return Recipe(
        dataset="mnist",
        architecture="ensemble",
        arguments={"members": [MEMBER] * 3},
        defense=partial(AdaptiveDiversity, attack=attack, alpha=2.0, beta=0.5, average_decay=0.995),
        threat=threat,
        method="advt_adp",
        epochs=5,
        batch_size=128,
        learning_rate=partial(one_cycle, peak=2e-3, rise=0.3),
        optimizer=keras.optimizers.Adam,
        precision="mixed_bfloat16",
        warmup_epochs=0.5,
        validation_attack=PGD(threat, step_size=0.05, steps=10),
    )
