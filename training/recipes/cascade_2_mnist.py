"""Second stage of a cascade behind wong-kolter-mnist, MNIST, Linf 0.1, the same small net.

It sees the training images alone that the first stage does not certify its answer of, about one in
twenty, and begins with the weights of that stage, which has seen eps 0.1 already; the rest is that
recipe's. The paper trains up to six stages, each anew, 60 epochs with 50 projections and the
median. A cascade claims more than it proves: training/tables/cascade.py.

Command:  python -m training.train cascade_2_mnist
Expect:   clean 98.39, PGD-20 margin 95.47, certified 93.18 % at Linf 0.1, 10,000 test images; 8
          minutes on CPU, 2 cores
"""

import dataclasses

from training.recipe import Recipe
from training.recipes import wong_kolter_mnist


def recipe() -> Recipe:
    return dataclasses.replace(
        wong_kolter_mnist.recipe(),
        initial="wong-kolter-mnist",
        left_by=("wong-kolter-mnist",),
        epochs=20,
        validation_examples=200,  # of those held out the first stage leaves few
        batch_size=50,
        warmup_epochs=3,
        published=None,
        remark=None,
    )
