"""SABR, CIFAR-10, Linf 2/255, the large net of Wong et al. at half its width, normalised.

One step of the attack where the authors have eight, and no boxes that shrink behind each ReLU; 36
epochs where they have 160: the net underfits, so images are mirrored and not shifted.
scaling_cifar10_wong_resnet is the larger recipe.

Command:  python -m training.train sabr_cifar10
Expect:   clean 63.48, PGD-20 margin 51.37, certified 46.88 % at Linf 2/255, 10,000 test images;
          50 minutes on CPU, 2 cores
"""

from functools import partial

import keras

from robustzoo.architectures import CIFAR10_MEAN, CIFAR10_STD
from robustzoo.defenses import SABR
from robustzoo.threats import Linf
from training.augment import crop_flip
from training.recipe import Recipe
from training.schedules import one_cycle


def recipe() -> Recipe:
    threat = Linf(2 / 255)
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
        defense=partial(
            SABR,
            threat=threat,
            subselection=0.1,
            steps=1,
            initialization=True,
            regularization=0.5,
        ),
        threat=threat,
        method="sabr",
        epochs=36,
        batch_size=128,
        learning_rate=partial(one_cycle, peak=1e-3, rise=0.05),
        optimizer=partial(keras.optimizers.Adam, global_clipnorm=10.0),
        augment=partial(crop_flip, pad=0),
        warmup_epochs=12,
        published={
            "clean": 0.7924,
            "certified": 0.6284,
            "source": "Müller et al., arXiv:2210.04871, CNN7 of 17 million weights",
        },
        remark="Below the paper's: the best that an hour of two processor cores made, of a net "
        "with a small share of its weights. The paper certifies by branch and bound, this "
        "by lines alone.",
    )
