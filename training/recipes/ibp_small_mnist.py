"""IBP, MNIST, Linf 0.1, the small net of Wong et al.; wong_kolter_mnist starts from it.

Command:  python -m training.train ibp_small_mnist
Expect:   clean 97.03, APGD-CE 94.85, APGD-T 94.77, FAB-T 94.76, Square 94.74 % at Linf 0.1,
          10,000 test images; 10 minutes on CPU, 2 cores
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
        architecture="wong_small",
        arguments={},
        defense=partial(IBP, threat=threat, inflation=1.5, initialization=True, regularization=0.5),
        threat=threat,
        method="ibp",
        epochs=16,
        batch_size=128,
        learning_rate=partial(one_cycle, peak=2e-3, rise=0.3),
        optimizer=partial(keras.optimizers.Adam, global_clipnorm=10.0),
        warmup_epochs=7,
        published={
            "clean": 0.9894,
            "certified": 0.9708,
            "source": "Gowal et al., arXiv:1810.12715, the authors' repository; a larger net",
        },
    )
