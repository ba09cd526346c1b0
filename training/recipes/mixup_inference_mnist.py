"""Mixup inference, MI-OL (Pang et al., arXiv:1909.11515), MNIST, SmallCNN trained with mixup.

Command:  python -m training.train mixup_inference_mnist
Expect:   clean 97.50, FGSM 2.00, PGD-20 0.00, PGD-20 margin 0.00, PGD-40 0.00 % at Linf 0.3, 200
          test images; 5 minutes on CPU, 2 cores
"""

from functools import partial

import keras

from robustzoo.attacks import PGD
from robustzoo.defenses import MixupTraining
from robustzoo.threats import Linf
from training.recipe import Recipe
from training.schedules import one_cycle

BASE = {"architecture": "small_cnn", "arguments": {}}


def recipe() -> Recipe:
    return Recipe(
        dataset="mnist",
        architecture="small_cnn",
        arguments={},
        defense=partial(MixupTraining, average_decay=0.995),
        threat=None,
        method="mixup_inference",
        epochs=5,
        batch_size=128,
        learning_rate=partial(one_cycle, peak=2e-3, rise=0.3),
        optimizer=keras.optimizers.Adam,
        released={"architecture": "mixup_inference", "arguments": {"base": BASE, "other": 30}},
        validation_attack=PGD(Linf(0.1), step_size=0.02, steps=10),
    )
