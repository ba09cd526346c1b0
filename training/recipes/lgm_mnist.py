"""L-GM (Wan et al., arXiv:1803.02988), MNIST, SmallCNN with learned centres.

Command:  python -m training.train lgm_mnist
Expect:   clean 99.80, FGSM 41.50, PGD-20 0.00, PGD-20 margin 0.00, PGD-40 0.00, APGD
          large_margin_gm 0.30 % at Linf 0.3, 1,000 test images; 14 minutes on CPU, 2 cores
"""

from functools import partial

import keras

from robustzoo.attacks import PGD
from robustzoo.defenses import StandardTraining
from robustzoo.losses import large_margin_gm
from robustzoo.threats import Linf
from training.recipe import Recipe
from training.schedules import one_cycle


def recipe() -> Recipe:
    return Recipe(
        dataset="mnist",
        architecture="center_head",
        arguments={"base": {"architecture": "small_cnn", "arguments": {}}, "centers": "learned"},
        defense=partial(StandardTraining, criterion=large_margin_gm, average_decay=0.995),
        threat=None,
        method="large_margin_gm",
        epochs=5,
        batch_size=128,
        learning_rate=partial(one_cycle, peak=2e-3, rise=0.3),
        optimizer=keras.optimizers.Adam,
        validation_attack=PGD(Linf(0.1), step_size=0.02, steps=10),
    )
