"""RCE (Pang et al., arXiv:1706.00633), CIFAR-10, WRN-10-4 with a stem of stride 2.

The gradient of RCE is a ninth of that of cross-entropy at the start: the rate is nine times, and
the weight decay a ninth, of those of sce_cifar10.

Command:  python -m training.train rce_cifar10
Expect:   clean 86.70, FGSM 4.00, PGD-20 0.00, PGD-20 margin 0.00, PGD-40 0.00, APGD
          reverse_cross_entropy 4.00 % at Linf 8/255, 1,000 test images; 31 minutes on CPU, 2
          cores
"""

from functools import partial

import keras

from robustzoo.architectures import CIFAR10_MEAN, CIFAR10_STD
from robustzoo.attacks import PGD
from robustzoo.defenses import StandardTraining
from robustzoo.losses import reverse_cross_entropy
from robustzoo.threats import Linf
from training.augment import crop_flip
from training.recipe import Recipe
from training.schedules import one_cycle


def recipe() -> Recipe:
    net = {"depth": 10, "width": 4, "stem_strides": 2, "mean": CIFAR10_MEAN, "std": CIFAR10_STD}
    return Recipe(
        dataset="cifar10",
        architecture="reversed_logits",
        arguments={"base": {"architecture": "wide_resnet", "arguments": net}},
        defense=partial(StandardTraining, criterion=reverse_cross_entropy, average_decay=0.998),
        threat=None,
        method="rce",
        epochs=20,
        batch_size=128,
        learning_rate=partial(one_cycle, peak=1.8, rise=0.3),
        optimizer=partial(keras.optimizers.SGD, momentum=0.9, nesterov=True, weight_decay=5.6e-5),
        augment=crop_flip,
        precision="mixed_bfloat16",
        validation_attack=PGD(Linf(8 / 255), step_size=2 / 255, steps=10),
        published={
            "clean": 0.9298,
            "source": "Pang et al., arXiv:1706.00633, ResNet-32; recalled, low confidence",
        },
    )
