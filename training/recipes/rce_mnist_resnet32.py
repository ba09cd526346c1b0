"""RCE, MNIST, ResNet-32, on the schedule of Pang et al., arXiv:1706.00633: 20,000 steps.

Their units are pre-activated, with leaky ReLU and shortcuts without weights; ours are resnet_v1's.
Their pixels are shifted to [-0.5, 0.5]; ours stay in [0, 1].

Command:  python -m training.train rce_mnist_resnet32
Expect:   not run by us; published: 99.71 clean (recalled, low confidence)
"""

from functools import partial

import keras

from robustzoo.defenses import StandardTraining
from robustzoo.losses import reverse_cross_entropy
from training.recipe import Recipe
from training.schedules import piecewise


def recipe() -> Recipe:
    net = {"depth": 32, "input_shape": (28, 28, 1)}
    return Recipe(
        dataset="mnist",
        architecture="reversed_logits",
        arguments={"base": {"architecture": "resnet_v1", "arguments": net}},
        defense=partial(StandardTraining, criterion=reverse_cross_entropy),
        threat=None,
        method="rce",
        epochs=47,
        batch_size=128,
        learning_rate=partial(piecewise, peak=0.1, at=(1 / 2, 3 / 4)),
        # 2e-4 as L2 in the loss, which goes through the momentum; Keras' decay does not.
        optimizer=partial(keras.optimizers.SGD, momentum=0.9, weight_decay=2e-4 / (1 - 0.9)),
        published={
            "clean": 0.9971,
            "source": "Pang et al., arXiv:1706.00633; recalled, low confidence",
        },
    )
