"""LWA (Huang et al.), one step of the loss surrogate in L2 1.5, MNIST, their MLP 500-500.

The paper divides pixels by 256, so that its radius is 1.506 here, and does not clip x' to [0, 1].
Its optimizer and epochs could not be had.

Command:  python -m training.train lwa_mnist_mlp500
Expect:   clean 99.10, FGSM 89.10, PGD-20 80.20, PGD-20 margin 81.20, PGD-40 86.30 % at L2 1.5,
          1,000 test images; 2 minutes on CPU, 2 cores
"""

from functools import partial

import keras

from robustzoo.attacks import PGD, fgsm
from robustzoo.defenses import MadryTraining
from robustzoo.threats import L2
from training.recipe import Recipe
from training.schedules import one_cycle


def recipe() -> Recipe:
    threat = L2(1.5)
    return Recipe(
        dataset="mnist",
        architecture="mlp",
        arguments={"widths": [500, 500]},
        defense=partial(MadryTraining, attack=fgsm(threat), average_decay=0.995),
        threat=threat,
        method="lwa",
        epochs=15,
        batch_size=128,
        learning_rate=partial(one_cycle, peak=2e-3, rise=0.3),
        optimizer=keras.optimizers.Adam,
        warmup_epochs=0.5,
        validation_attack=PGD(threat, step_size=0.4, steps=10),
        published={"FGSM": 0.867, "source": "Huang et al., arXiv:1511.03034, the same net"},
    )
