"""CROWN-IBP."""

from robustzoo.check_number import check_number
from robustzoo.defenses.certified import Certified


class CrownIBP(Certified):
    """Training on linear bounds over intervals (Zhang et al., 2020, arXiv:1906.06316).

    v by (1 - t) CROWN-IBP + t IBP: t grows with eps, from 0 to `final`. See `Certified`.

    Args:
        final: t in [0, 1] after the warm-up.
    """

    def __init__(self, classifier, *, final: float = 1.0, **options):
        check_number("final", final, "in [0, 1]")
        super().__init__(classifier, **options)
        self.final = final

    def worst_logits(self, weights, x, x_adv, y, share):
        region = self.region(x, self.eps * share)
        interval, linear, boxes = self.crown_ibp_logits(self.graph, weights, region, y)
        t = self.final * share
        return t * interval + (1.0 - t) * linear, boxes
