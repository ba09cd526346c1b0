"""IBP, Fashion-MNIST, Linf 0.1, the small net; wong_kolter_fashion_mnist starts from it.

Command:  python -m training.train ibp_small_fashion_mnist
Expect:   clean 79.41, APGD-CE 72.38, APGD-T 71.77, FAB-T 71.76, Square 71.59 % at Linf 0.1,
          10,000 test images; 10 minutes on CPU, 2 cores
"""

from functools import partial

import keras

from robustzoo.defenses import IBP
from robustzoo.threats import Linf
from training.recipe import Recipe
from training.schedules import one_cycle


def recipe() -> Recipe:
    threat = Linf(0.1)
    return Recipe(
        dataset="fashion_mnist",
        architecture="wong_small",
        arguments={},
        defense=partial(IBP, threat=threat, inflation=1.0, initialization=True, regularization=0.5),
        threat=threat,
        method="ibp",
        epochs=16,
        batch_size=128,
        learning_rate=partial(one_cycle, peak=2e-3, rise=0.3),
        optimizer=partial(keras.optimizers.Adam, global_clipnorm=10.0),
        warmup_epochs=7,
    )
