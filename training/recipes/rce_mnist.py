"""RCE (Pang et al., arXiv:1706.00633), MNIST, the SmallCNN of TRADES.

Command:  python -m training.train rce_mnist
Expect:   clean 99.70, FGSM 26.50, PGD-20 1.00, PGD-20 margin 1.10, PGD-40 1.50, APGD
          reverse_cross_entropy 2.30 % at Linf 0.3, 1,000 test images; 15 minutes on CPU, 2 cores
"""

from functools import partial

import keras

from robustzoo.attacks import PGD
from robustzoo.defenses import StandardTraining
from robustzoo.losses import reverse_cross_entropy
from robustzoo.threats import Linf
from training.recipe import Recipe
from training.schedules import one_cycle


def recipe() -> Recipe:
    return Recipe(
        dataset="mnist",
        architecture="reversed_logits",
        arguments={"base": {"architecture": "small_cnn", "arguments": {}}},
        defense=partial(StandardTraining, criterion=reverse_cross_entropy, average_decay=0.995),
        threat=None,
        method="rce",
        epochs=5,
        batch_size=128,
        learning_rate=partial(one_cycle, peak=2e-3, rise=0.3),
        optimizer=keras.optimizers.Adam,
        validation_attack=PGD(Linf(0.1), step_size=0.02, steps=10),
        published={
            "clean": 0.9971,
            "source": "Pang et al., arXiv:1706.00633, ResNet-32; recalled, low confidence",
        },
    )
