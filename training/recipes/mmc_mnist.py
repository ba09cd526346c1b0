"""MMC (Pang et al., arXiv:1905.10626), MNIST, SmallCNN with max-Mahalanobis centres.

Command:  python -m training.train mmc_mnist
Expect:   clean 99.90, FGSM 98.10, PGD-20 93.30, PGD-20 margin 17.00, PGD-40 93.30, APGD mmc 0.90
          % at Linf 0.3, 1,000 test images; 13 minutes on CPU, 2 cores
"""

from functools import partial

import keras

from robustzoo.attacks import PGD
from robustzoo.defenses import StandardTraining
from robustzoo.losses import mmc
from robustzoo.threats import Linf
from training.recipe import Recipe
from training.schedules import one_cycle


def recipe() -> Recipe:
    return Recipe(
        dataset="mnist",
        architecture="center_head",
        arguments={"base": {"architecture": "small_cnn", "arguments": {}}},
        defense=partial(StandardTraining, criterion=mmc, average_decay=0.995),
        threat=None,
        method="mmc",
        epochs=5,
        batch_size=128,
        learning_rate=partial(one_cycle, peak=2e-3, rise=0.3),
        optimizer=keras.optimizers.Adam,
        validation_attack=PGD(Linf(0.1), step_size=0.02, steps=10, loss=mmc),
    )
