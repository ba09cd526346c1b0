"""CROWN-IBP, MNIST, Linf 0.1, the small net of Wong et al., from ibp-small-mnist.

Our schedule: the full eps after half an epoch, linear bounds over intervals alone in the loss. The
paper trains 100 epochs from random weights, on larger nets.

Command:  python -m training.train crown_ibp_small_mnist
Expect:   clean 98.20, PGD-20 95.92, certified 94.75 % at Linf 0.1, 10,000 test images; 14 minutes
          on CPU, 2 cores
"""

from functools import partial

import keras

from robustzoo.defenses import CrownIBP
from robustzoo.threats import Linf
from training.recipe import Recipe
from training.schedules import one_cycle


def recipe() -> Recipe:
    threat = Linf(0.1)
    return Recipe(
        dataset="mnist",
        architecture="wong_small",
        arguments={},
        defense=partial(CrownIBP, threat=threat, final=0.0),
        threat=threat,
        method="crown_ibp",
        initial="ibp-small-mnist",
        epochs=8,
        batch_size=128,
        learning_rate=partial(one_cycle, peak=1e-3, rise=0.2),
        optimizer=partial(keras.optimizers.Adam, global_clipnorm=10.0),
        warmup_epochs=0.5,
        published={
            "clean": 0.9903,
            "certified": 0.9775,
            "source": "Zhang et al., arXiv:1906.06316, the authors' TensorFlow repository; a "
            "larger net",
        },
    )
