"""IBP, MNIST, Linf 0.1, the large net of Wong et al. at half its width, normalised.

Command:  python -m training.train ibp_mnist_01
Expect:   clean 98.60, PGD-20 margin 97.50, certified 97.24 % at Linf 0.1, 10,000 test images; 44
          minutes on CPU, 2 cores
"""

from functools import partial

import keras

from robustzoo.defenses import IBP
from robustzoo.threats import Linf
from training.recipe import Recipe
from training.schedules import one_cycle


def recipe() -> Recipe:
    threat = Linf(0.1)
    return Recipe(
        dataset="mnist",
        architecture="wong_large",
        arguments={"filters": 16, "units": 256, "batch_norm": True},
        defense=partial(IBP, threat=threat, inflation=1.2, initialization=True, regularization=0.5),
        threat=threat,
        method="ibp",
        epochs=24,
        batch_size=128,
        learning_rate=partial(one_cycle, peak=1e-3, rise=0.05),
        optimizer=partial(keras.optimizers.Adam, global_clipnorm=10.0),
        warmup_epochs=10,
        published={
            "clean": 0.9894,
            "certified": 0.9708,
            "source": "Gowal et al., arXiv:1810.12715, the authors' repository",
        },
    )
