"""Adversarial robust training as published: the net, loss and schedule of Madry et al., MNIST.

Command:  python -m training.train art_mnist_madry
Expect:   not run by us; published: 98.8 clean, 93.2 PGD-40 (arXiv:1706.06083); 91 epochs of 1,100
          steps are their 100,000 steps, and Adam does not mind that they summed the loss
"""

from functools import partial

import keras

from robustzoo.attacks import PGD
from robustzoo.defenses import MadryTraining
from robustzoo.threats import Linf
from training.recipe import Recipe
from training.schedules import constant


def recipe() -> Recipe:
    threat = Linf(0.3)
    attack = PGD(threat, step_size=0.01, steps=40)
    return Recipe(
        dataset="mnist",
        architecture="madry_cnn",
        arguments={},
        defense=partial(MadryTraining, attack=attack),
        threat=threat,
        epochs=91,
        batch_size=50,
        learning_rate=partial(constant, peak=1e-4),
        optimizer=keras.optimizers.Adam,
    )
