"""IBP, CIFAR-10, Linf 8/255, the large net of Wong et al. at half its width, normalised.

In so few epochs the net underfits, so images are mirrored and not shifted: crops cost more accuracy
than they gain.

Command:  python -m training.train ibp_cifar10
Expect:   clean 35.76, PGD-20 29.54, certified 28.15 % at Linf 8/255, 10,000 test images; 54
          minutes on CPU, 2 cores
"""

from functools import partial

import keras

from robustzoo.architectures import CIFAR10_MEAN, CIFAR10_STD
from robustzoo.defenses import IBP
from robustzoo.threats import Linf
from training.augment import crop_flip
from training.recipe import Recipe
from training.schedules import one_cycle


def recipe() -> Recipe:
    threat = Linf(8 / 255)
    return Recipe(
        dataset="cifar10",
        architecture="wong_large",
        arguments={
            "input_shape": (32, 32, 3),
            "filters": 16,
            "units": 256,
            "batch_norm": True,
            "mean": CIFAR10_MEAN,
            "std": CIFAR10_STD,
        },
        defense=partial(IBP, threat=threat, inflation=1.1, initialization=True, regularization=0.5),
        threat=threat,
        method="ibp",
        epochs=20,
        batch_size=64,
        learning_rate=partial(one_cycle, peak=1e-3, rise=0.05),
        optimizer=partial(keras.optimizers.Adam, global_clipnorm=10.0),
        augment=partial(crop_flip, pad=0),
        warmup_epochs=8,
        published={
            "clean": 0.4949,
            "certified": 0.3156,
            "source": "Gowal et al., arXiv:1810.12715, the authors' repository",
        },
    )
