"""Second stage of a cascade behind wong-kolter-mnist, MNIST, Linf 0.1, the same small net.

It sees the training images alone that the first stage does not certify its answer of, about one in
twenty, and begins with the weights of that stage, which has seen eps 0.1 already; the rest is that
recipe's. The paper trains up to six stages, each anew, 60 epochs with 50 projections and the
median. A cascade claims more than it proves: training/tables/cascade.py.

Command:  python -m training.train cascade_2_mnist
Expect:   not yet measured
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
        initial="wong-kolter-mnist",
        left_by=("wong-kolter-mnist",),
        epochs=20,
        batch_size=50,
        learning_rate=partial(one_cycle, peak=1e-3, rise=0.2),
        optimizer=keras.optimizers.Adam,
        warmup_epochs=3,
    )
