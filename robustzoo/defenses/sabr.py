"""SABR."""

from robustzoo.attacks import PGD
from robustzoo.check_number import check_number
from robustzoo.defenses._linf import check_linf
from robustzoo.defenses.certified import Certified
from robustzoo.threats import Linf


class SABR(Certified):
    """Training on intervals of small adversarial boxes (Müller et al., 2023, arXiv:2210.04871).

    v by intervals on the box of radius tau eps around x', which PGD finds in the ball of radius
    (1 - tau) eps: no bound of the whole ball, so certify afterwards. See `Certified`.

    Args:
        subselection: tau in (0, 1].
        steps: of PGD, whose step size is 2 (1 - tau) eps / steps.
    """

    attacked = True

    def __init__(self, classifier, *, threat: Linf, subselection=0.4, steps: int = 8, **options):
        check_linf(threat)
        check_number("steps", steps, ">= 1", whole=True)
        check_number("inflation", options.get("inflation", 1.0), "> 0")
        check_number("subselection", subselection, "in (0, 1]")
        eps = (1.0 - subselection) * threat.eps * options.get("inflation", 1.0)
        attack = PGD(Linf(eps), 2.0 * eps / steps, steps=steps)
        super().__init__(classifier, threat=threat, attack=attack, **options)
        self.subselection = subselection

    def worst_logits(self, weights, x, x_adv, y, share):
        eps = self.subselection * self.eps * share
        return self.interval_logits(self.graph, weights, self.region(x_adv, eps), y)
