"""Exact adversarial training of a linear model (Kolter & Madry), MNIST 0 against 1, Linf 0.2.

Command:  python -m training.train linear_mnist
Expect:   clean 99.81, FGSM 98.49, PGD-20 98.49, PGD-20 margin 98.49, PGD-40 x 2 98.53 % at Linf
          0.2, 2,115 test images; 0 minutes on CPU, 2 cores
"""

from functools import partial

import keras

from robustzoo.defenses import ExactLinear
from robustzoo.threats import Linf
from training.recipe import Recipe
from training.schedules import constant


def recipe() -> Recipe:
    threat = Linf(0.2)
    return Recipe(
        dataset="mnist",
        architecture="linear",
        arguments={"classes": 2},
        defense=partial(ExactLinear, threat=threat),
        threat=threat,
        method="exact_linear",
        epochs=10,
        batch_size=100,
        learning_rate=partial(constant, peak=0.5),
        optimizer=keras.optimizers.SGD,
        classes=(0, 1),
        published={
            "FGSM": 0.975,
            "source": "Kolter & Madry, Adversarial Robustness tutorial, 2018, chapter 2; not "
            "clipped to [0, 1]",
        },
    )
