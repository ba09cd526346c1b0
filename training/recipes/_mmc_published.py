"""What the CIFAR-10 recipes of Pang et al., arXiv:1905.10626, have in common.

SGD 0.01 with momentum, a tenth after 100 and after 150 of 200 epochs, batches of 50, shifts by a
tenth and flips, L2 of 1e-4 on the kernels (a decay of 2e-4), the mean of each channel subtracted,
where they take the mean image. Their "ResNet-32" is the bottleneck net of 47 layers. Their code
lacks the 1/2 of MMC, which doubles its learning rate, but not its decay; so does `rate`. Their eps
is 8/256, ours 8/255.
"""

from collections.abc import Callable
from functools import partial

import keras

from robustzoo.architectures import CIFAR10_MEAN
from robustzoo.attacks import PGD
from robustzoo.losses import cross_entropy
from robustzoo.threats import Linf
from training.augment import crop_flip
from training.recipe import Recipe
from training.schedules import piecewise

THREAT = Linf(8 / 255)


def attack(loss: Callable = cross_entropy, targeted: bool = False) -> PGD:
    """Of adversarial training: PGD-10, untargeted or towards random other classes."""
    return PGD(THREAT, step_size=2 / 255, steps=10, loss=loss, targeted=targeted)


def sgd_decaying_kernels(learning_rate, weight_decay: float) -> keras.optimizers.Optimizer:
    """SGD with momentum that decays neither biases, normalisations nor learned centres."""
    sgd = keras.optimizers.SGD(learning_rate, momentum=0.9, weight_decay=weight_decay)
    sgd.exclude_from_weight_decay(var_names=["gamma", "beta", "bias", "centers"])
    return sgd


def published(
    defense: Callable,
    method: str | None,
    clean: float,
    head: dict | None = None,
    depth: int = 47,
    robust: bool = False,
    rate: float = 0.01,
) -> Recipe:
    """The recipe of one row of the paper's tables.

    Args:
        method: as in `Recipe`.
        clean: accuracy that the paper prints.
        head: arguments of `center_head`, None for the net as it is.
        depth: of `resnet_v2`.
        robust: whether the row is of adversarial training.
        rate: the first learning rate.
    """
    net = {"depth": depth, "mean": CIFAR10_MEAN, "std": (1.0, 1.0, 1.0)}
    base = {"architecture": "resnet_v2", "arguments": net}
    return Recipe(
        dataset="cifar10",
        architecture="resnet_v2" if head is None else "center_head",
        arguments=net if head is None else {"base": base, **head},
        defense=defense,
        threat=THREAT if robust else None,
        method=method,
        epochs=200,
        batch_size=50,
        learning_rate=partial(piecewise, peak=rate, at=(0.5, 0.75)),
        # 2e-4 as L2 in the loss, which goes through the momentum; Keras' decay does not.
        optimizer=partial(sgd_decaying_kernels, weight_decay=2e-4 / (1 - 0.9) * 0.01 / rate),
        augment=partial(crop_flip, pad=3),
        published={"clean": clean, "source": "Pang et al., arXiv:1905.10626"},
    )
