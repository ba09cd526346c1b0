"""MTL-IBP."""

import keras

from robustzoo.attacks import PGD
from robustzoo.certification.arrays import FLOAT32
from robustzoo.check_number import check_number
from robustzoo.defenses._linf import check_linf
from robustzoo.defenses.certified import Certified
from robustzoo.threats import Linf


class MTLIBP(Certified):
    """w ((1 - a) CE(f(x'), y) + a CE(v, y)) + (1 - w) CE(f(x), y) (De Palma et al., 2024).

    v by intervals on the whole ball and x' by an attack, arXiv:2305.13991: no bound for a < 1, so
    certify afterwards. See `Certified`, with w = 1 after the warm-up in the paper.

    Args:
        attack: finds x'; by default PGD-8 at the eps of training.
        alpha: a in [0, 1], more for larger eps: 0.004 to 0.5 in the paper.
    """

    attacked = True

    def __init__(
        self,
        classifier: keras.Model,
        *,
        threat: Linf,
        alpha: float = 0.5,
        attack: PGD | None = None,
        **options,
    ):
        check_linf(threat)
        check_number("alpha", alpha, "in [0, 1]")
        check_number("inflation", options.get("inflation", 1.0), "> 0")
        if attack is None:
            eps = threat.eps * options.get("inflation", 1.0)
            attack = PGD(Linf(eps), eps / 4, steps=8)
        super().__init__(classifier, threat=threat, attack=attack, **options)
        self.alpha = alpha

    def worst_logits(self, weights, x, x_adv, y, share):
        return self.interval_logits(self.graph, weights, self.region(x, self.eps * share), y)

    def robust_losses(self, weights, worst, x_adv, y):
        attacked = self.graph.forward(FLOAT32, weights, x_adv)[-1]
        parts = self.criterion(y, attacked), self.criterion(y, worst)
        return (1.0 - self.alpha) * parts[0] + self.alpha * parts[1]
