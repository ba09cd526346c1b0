"""Adversarial training with FGSM (Goodfellow et al.), MNIST, Linf 0.25, SmallCNN.

Command:  python -m training.train at_fgsm_mnist
Expect:   clean 98.52, FGSM 89.95, PGD-20 33.78, PGD-20 margin 39.35, PGD-40 x 2 50.74 % at Linf
          0.25, 10,000 test images; 2 minutes on CPU, 2 cores
"""

from functools import partial

import keras

from robustzoo.attacks import PGD, fgsm
from robustzoo.defenses import AdversarialMixing
from robustzoo.threats import Linf
from training.recipe import Recipe
from training.schedules import one_cycle


def recipe() -> Recipe:
    threat = Linf(0.25)
    return Recipe(
        dataset="mnist",
        architecture="small_cnn",
        arguments={},
        defense=partial(AdversarialMixing, attack=fgsm(threat), alpha=0.5),
        threat=threat,
        epochs=2,
        batch_size=128,
        learning_rate=partial(one_cycle, peak=2e-3, rise=0.3),
        optimizer=keras.optimizers.Adam,
        warmup_epochs=0.5,
        validation_attack=PGD(threat, step_size=0.04, steps=10),
        published={
            "clean": 0.9916,
            "source": "Goodfellow et al., arXiv:1412.6572, a maxout net",
        },
    )
