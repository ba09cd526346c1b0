"""AMT (Komiyama & Hattori, in our reading), MNIST, radius estimated up to 0.3, SmallCNN.

Command:  python -m training.train amt_mnist
Expect:   clean 99.80, FGSM 61.00, PGD-20 0.00, PGD-20 margin 0.00, PGD-40 0.40 % at Linf 0.3,
          1,000 test images; 41 minutes on CPU, 2 cores
"""

from functools import partial

import keras

from robustzoo.attacks import PGD
from robustzoo.defenses import AdversarialGenerator
from robustzoo.threats import Linf
from training.recipe import Recipe
from training.schedules import one_cycle


def recipe() -> Recipe:
    return Recipe(
        dataset="mnist",
        architecture="small_cnn",
        arguments={},
        defense=partial(
            AdversarialGenerator, threat=Linf(0.3), radius="estimated", average_decay=0.995
        ),
        threat=None,
        method="amt",
        epochs=5,
        batch_size=128,
        learning_rate=partial(one_cycle, peak=2e-3, rise=0.3),
        optimizer=keras.optimizers.Adam,
        precision="mixed_bfloat16",
        validation_attack=PGD(Linf(0.1), step_size=0.02, steps=10),
    )
