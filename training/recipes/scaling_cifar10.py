"""Wong & Kolter's dual bound by random projections, CIFAR-10, Linf 2/255, a slim residual net.

The paper's net at half its filters, a quarter of its units and half the resolution, with 10
projections and 3 epochs where the paper has 50 and 60; scaling_cifar10_wong_resnet is the larger
recipe.

Command:  python -m training.train scaling_cifar10
Expect:   not yet measured
"""

from functools import partial

import keras

from robustzoo.architectures import CIFAR10_MEAN
from robustzoo.defenses import WongKolter
from robustzoo.threats import Linf
from training.augment import crop_flip
from training.recipe import Recipe
from training.schedules import one_cycle


def recipe() -> Recipe:
    threat = Linf(2 / 255)
    return Recipe(
        dataset="cifar10",
        architecture="wong_resnet",
        arguments={
            "filters": 8,
            "units": 256,
            "stem_strides": 2,
            "mean": CIFAR10_MEAN,
            "std": (0.225, 0.225, 0.225),
        },
        defense=partial(
            WongKolter, threat=threat, projections=10, estimator="geometric", exact=False
        ),
        threat=threat,
        method="wong_kolter",
        epochs=3,
        batch_size=50,
        learning_rate=partial(one_cycle, peak=1e-3, rise=0.05),
        optimizer=partial(keras.optimizers.Adam, global_clipnorm=10.0),
        augment=crop_flip,
        warmup_epochs=2,
        published={
            "clean": 0.683,
            "certified": 0.539,
            "source": "Wong et al., arXiv:1805.12514, the whole net",
        },
    )
