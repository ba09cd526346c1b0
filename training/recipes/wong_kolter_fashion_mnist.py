"""Wong & Kolter's dual bound, Fashion-MNIST, Linf 0.1, from ibp-small-fashion-mnist.

Command:  python -m training.train wong_kolter_fashion_mnist
Expect:   clean 79.25, PGD-20 margin 71.15, certified 68.80 % at Linf 0.1, 10,000 test images; 60
          minutes on CPU, 2 cores
"""

from functools import partial

import keras

from robustzoo.defenses import WongKolter
from robustzoo.threats import Linf
from training.recipe import Recipe
from training.schedules import one_cycle


def recipe() -> Recipe:
    threat = Linf(0.1)
    return Recipe(
        dataset="fashion_mnist",
        architecture="wong_small",
        arguments={},
        defense=partial(WongKolter, threat=threat, projections=20, estimator="geometric"),
        threat=threat,
        method="wong_kolter",
        initial="ibp-small-fashion-mnist",
        epochs=4,
        batch_size=100,
        learning_rate=partial(one_cycle, peak=1e-3, rise=0.2),
        optimizer=keras.optimizers.Adam,
        warmup_epochs=0.5,
        published={"certified": 0.655, "source": "Wong & Kolter, arXiv:1711.00851"},
    )
