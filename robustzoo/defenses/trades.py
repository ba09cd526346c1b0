"""TRADES."""

import dataclasses

import keras
from keras import ops

from robustzoo.attacks import PGD
from robustzoo.check_number import check_number
from robustzoo.defenses.base import Defense
from robustzoo.losses import kl_divergence


class Trades(Defense):
    """CE(f(x), y) + beta KL(f(x) || f(x')), x' = argmax KL (Zhang et al., 2019, arXiv:1901.08573).

    The gradient flows through both arguments of the divergence.

    Args:
        attack: ascends the divergence, whatever its own loss is. The paper starts it at
            x + 0.001 N(0, 1), `start="gaussian"`; "clean" becomes that as well, because at x
            itself the divergence has no gradient.
        beta: weight of robustness, the paper's 1 / lambda; more is more robust.
    """

    def __init__(self, classifier: keras.Model, attack: PGD, *, beta: float = 6.0, **options):
        check_number("beta", beta, ">= 0")
        if not isinstance(attack, PGD) or attack.targeted:
            raise ValueError(f"attack must be an untargeted PGD. Received: {attack!r}")
        if attack.start == "clean":
            attack = dataclasses.replace(attack, start="gaussian")
        super().__init__(classifier, attack, **options)
        self.attack = dataclasses.replace(attack, loss=kl_divergence)
        self.beta = beta

    def attack_target(self, x, y):
        return ops.stop_gradient(self.logits(x, training=False))

    def objective(self, x, x_adv, y):
        clean = self.logits(x)
        adversarial = self.logits(x_adv)
        losses = self.criterion(y, clean) + self.beta * kl_divergence(clean, adversarial)
        return losses, clean, adversarial
