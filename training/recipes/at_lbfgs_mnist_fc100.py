"""AT (Szegedy et al.) with a pool of L-BFGS examples, MNIST, their MLP 100-100.

Theirs, as recalled, has sigmoids where ours has ReLU, and mixes examples of the hidden layers in.

Command:  python -m training.train at_lbfgs_mnist_fc100
Expect:   not yet measured; published: more than 98.8 clean (recalled, low confidence)
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
        architecture="mlp",
        arguments={"widths": [100, 100]},
        defense=partial(AdversarialPool, attack=attack, pool=4096, refresh=8, average_decay=0.995),
        threat=None,
        method="at_lbfgs",
        epochs=15,
        batch_size=128,
        learning_rate=partial(one_cycle, peak=2e-3, rise=0.3),
        optimizer=keras.optimizers.Adam,
        validation_attack=PGD(Linf(0.1), step_size=0.02, steps=10),
        published={
            "clean": 0.988,
            "source": "Szegedy et al., arXiv:1312.6199, the same sizes; recalled, low confidence",
        },
    )
