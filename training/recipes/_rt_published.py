"""What the MNIST recipes of RT on its own net have in common: Shaham et al., arXiv:1511.05432.

Their code (github.com/runopti/RobustTraining) pads MNIST to 32x32, standardises it (deviation
0.2752) and has radii of 0.2, 2 and 2 there, SGD 0.01 with momentum 0.9 and L2 of 1e-3 on all
weights, batches of 100, 120 epochs. Here the radii are in pixels, the padding cannot be attacked,
x' is clipped to [0, 1], and 12 epochs on a triangle of rates do for the 120.
"""

from functools import partial

import keras

from robustzoo.attacks import PGD, fgsm
from robustzoo.defenses import MadryTraining
from robustzoo.threats import L1, L2, Linf
from training.recipe import Recipe
from training.schedules import one_cycle


def published(threat: Linf | L2 | L1, clean: float) -> Recipe:
    """The recipe of one norm.

    Args:
        clean: accuracy that a comment at the end of their script gives.
    """
    return Recipe(
        dataset="mnist",
        architecture="shaham_cnn",
        arguments={},
        defense=partial(MadryTraining, attack=fgsm(threat)),
        threat=threat,
        method="rt",
        epochs=12,
        batch_size=100,
        learning_rate=partial(one_cycle, peak=0.05, rise=0.3),
        # 1e-3 as L2 in the loss, which goes through the momentum; Keras' decay does not.
        optimizer=partial(keras.optimizers.SGD, momentum=0.9, weight_decay=1e-3 / (1 - 0.9)),
        validation_attack=PGD(threat, step_size=threat.eps / 4, steps=10),
        published={
            "clean": clean,
            "source": "the authors' code to arXiv:1511.05432, the same net, 120 epochs",
        },
    )
