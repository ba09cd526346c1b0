"""Wong & Kolter's dual bound by random projections, CIFAR-10, Linf 2/255, the paper's net.

Our schedule: Adam at 1e-3, eps from 0, and with it the weight w of the bound in the loss (1 - w)
CE + w CE of the bound, on boxes clipped to [0, 1]. The paper's is SGD at 0.05 with momentum 0.9,
weight decay 5e-4 and gradients clipped to 1, eps from 0.001 in units of 0.225, the bound alone
from the start (w = 1), on boxes that are not clipped.

Command:  python -m training.train scaling_cifar10_wong_resnet
Expect:   not run by us, for an accelerator; published: 68.3 clean, 53.9 certified
          (Wong et al., arXiv:1805.12514)
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
