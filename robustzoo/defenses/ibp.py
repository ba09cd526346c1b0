"""IBP."""

from robustzoo.defenses.certified import Certified


class IBP(Certified):
    """Training on interval bounds (Gowal et al., 2018, arXiv:1810.12715).

    (1 - w) CE(f(x), y) + w CE(v, y), v the worst logits by intervals on the box of radius eps; see
    `Certified`. `initialization` and `regularization` are for short runs.
    """

    def worst_logits(self, weights, x, x_adv, y, share):
        return self.interval_logits(self.graph, weights, self.region(x, self.eps * share), y)
