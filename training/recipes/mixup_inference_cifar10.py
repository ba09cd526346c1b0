"""MI-OL (Pang et al., arXiv:1909.11515), CIFAR-10, around mixup-cifar10 after two more epochs.

Command:  python -m training.train mixup_inference_cifar10
Expect:   clean 76.50, FGSM 2.00, PGD-20 0.00, PGD-20 margin 0.00, PGD-40 0.00 % at Linf 8/255,
          200 test images; 3 minutes on CPU, 2 cores
"""

import dataclasses
from functools import partial

from training.recipe import Recipe
from training.recipes import mixup_cifar10
from training.schedules import one_cycle


def recipe() -> Recipe:
    base = mixup_cifar10.recipe()
    net = {"architecture": base.architecture, "arguments": base.arguments}
    return dataclasses.replace(
        base,
        method="mixup_inference",
        initial="mixup-cifar10",
        epochs=2,
        learning_rate=partial(one_cycle, peak=0.01, rise=0.3),
        released={"architecture": "mixup_inference", "arguments": {"base": net, "other": 30}},
        published={
            "clean": 0.839,
            "source": "Pang et al., arXiv:1909.11515, a ResNet-50; recalled, low confidence",
        },
    )
