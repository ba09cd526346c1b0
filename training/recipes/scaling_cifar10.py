"""Wong & Kolter's dual bound by random projections, CIFAR-10, Linf 2/255, residual net.

Command:  python -m training.train scaling_cifar10
Expect:   not run here; the paper's recipe, for an accelerator
"""

from functools import partial

import keras

from robustzoo.architectures import CIFAR10_MEAN
from robustzoo.defenses import WongKolter
from robustzoo.threats import Linf
from training.augment import crop_flip
from training.recipe import Recipe
from training.schedules import piecewise


def recipe() -> Recipe:
    threat = Linf(2 / 255)
    return Recipe(
        dataset="cifar10",
        architecture="wong_resnet",
        arguments={"mean": CIFAR10_MEAN, "std": (0.225, 0.225, 0.225)},
        defense=partial(WongKolter, threat=threat, projections=50),
        threat=threat,
        method="wong_kolter",
        epochs=60,
        batch_size=50,
        learning_rate=partial(piecewise, peak=1e-3, at=(0.5, 0.667, 0.833), factor=0.5),
        optimizer=keras.optimizers.Adam,
        augment=crop_flip,
        warmup_epochs=20,
        published={
            "clean": 0.683,
            "certified": 0.539,
            "source": "Wong et al., arXiv:1805.12514",
        },
    )
