"""RCE, CIFAR-10, ResNet-32, on the schedule of Pang et al., arXiv:1706.00633: 90,000 steps.

Their units are pre-activated, with leaky ReLU and shortcuts without weights; ours are resnet_v1's.
Their pixels are shifted to [-0.5, 0.5]; ours are normalised by mean and deviation of each channel.

Command:  python -m training.train rce_cifar10_resnet32
Expect:   not run by us; published: 92.98 clean (recalled, low confidence)
"""

from functools import partial

import keras

from robustzoo.architectures import CIFAR10_MEAN, CIFAR10_STD
from robustzoo.defenses import StandardTraining
from robustzoo.losses import reverse_cross_entropy
from training.augment import crop_flip
from training.recipe import Recipe
from training.schedules import piecewise


def recipe() -> Recipe:
    net = {"depth": 32, "mean": CIFAR10_MEAN, "std": CIFAR10_STD}
    return Recipe(
        dataset="cifar10",
        architecture="reversed_logits",
        arguments={"base": {"architecture": "resnet_v1", "arguments": net}},
        defense=partial(StandardTraining, criterion=reverse_cross_entropy),
        threat=None,
        method="rce",
        epochs=256,
        batch_size=128,
        learning_rate=partial(piecewise, peak=0.1, at=(4 / 9, 6 / 9, 8 / 9)),
        # 2e-4 as L2 in the loss, which goes through the momentum; Keras' decay does not.
        optimizer=partial(keras.optimizers.SGD, momentum=0.9, weight_decay=2e-4 / (1 - 0.9)),
        augment=partial(crop_flip, pad=2),
        published={
            "clean": 0.9298,
            "source": "Pang et al., arXiv:1706.00633; recalled, low confidence",
        },
    )
