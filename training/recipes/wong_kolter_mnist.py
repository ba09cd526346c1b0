"""Wong & Kolter's dual bound, MNIST, Linf 0.1, their small net, from ibp-small-mnist.

Our schedule: from an IBP net, 4 epochs of batches of 100, eps and the weight of the bound growing
over the first half epoch, bounds of hidden units by 10 projections and the geometric estimator, on
boxes clipped to [0, 1]. The paper's: from random weights, 100 epochs of batches of 50, the bound
alone, eps from 0.05 over the first half, exact rows. "Scaling" has 50 projections and the median;
its code takes exact rows where no more units than that cross in the whole batch, in the layer that
the error terms come from; we, in images where the rows of those that cross, in the layer that is
bounded, are no larger than 10 whole ones. The released weights are older than this rule: no row of
a layer of more than 10 units was exact.

Command:  python -m training.train wong_kolter_mnist
Expect:   clean 97.88, PGD-40 95.65, certified 93.57 % at Linf 0.1, 10,000 test images; 15 minutes
          on CPU, 2 cores
"""

from functools import partial

import keras

from robustzoo.defenses import WongKolter
from robustzoo.threats import Linf
from training.recipe import Recipe
from training.schedules import one_cycle


def recipe() -> Recipe:
    threat = Linf(0.1)
    return Recipe(
        dataset="mnist",
        architecture="wong_small",
        arguments={},
        defense=partial(WongKolter, threat=threat, projections=10, estimator="geometric"),
        threat=threat,
        method="wong_kolter",
        initial="ibp-small-mnist",
        epochs=4,
        batch_size=100,
        learning_rate=partial(one_cycle, peak=1e-3, rise=0.2),
        optimizer=keras.optimizers.Adam,
        warmup_epochs=0.5,
        published={
            "clean": 0.982,
            "certified": 0.942,
            "source": "Wong & Kolter, arXiv:1711.00851, and the authors' repository",
        },
    )
