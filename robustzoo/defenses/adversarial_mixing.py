"""Adversarial training on clean and adversarial examples (AT and AT-FGSM)."""

import keras

from robustzoo.attacks import PGD
from robustzoo.check_number import check_number
from robustzoo.defenses.base import Defense


class AdversarialMixing(Defense):
    """2 [a CE(f(x), y) + (1 - a) CE(f(x'), y)], x' made anew from the current weights each step.

    With a = 0.5 this is AT, CE(f(x), y) + CE(f(x'), y) (Szegedy et al., 2014, arXiv:1312.6199);
    with `attack=fgsm(threat)` it is AT-FGSM (Goodfellow et al., 2015, arXiv:1412.6572), but for
    the factor 2.

    Args:
        alpha: a in [0, 1], the share of the clean examples.
    """

    needs_attack = True

    def __init__(self, classifier: keras.Model, attack: PGD, *, alpha: float = 0.5, **options):
        check_number("alpha", alpha, "in [0, 1]")
        super().__init__(classifier, attack, **options)
        self.alpha = alpha

    def objective(self, x, x_adv, y):
        clean = self.logits(x)
        adversarial = self.logits(x_adv)
        losses = 2.0 * self.alpha * self.criterion(y, clean)
        losses += 2.0 * (1.0 - self.alpha) * self.criterion(y, adversarial)
        return losses, clean, adversarial
