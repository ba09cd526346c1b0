"""Adversarial robust training (ART)."""

from robustzoo.defenses.base import Defense


class MadryTraining(Defense):
    """min_w max_{x' in ball} CE(f_w(x'), y), on adversarial examples alone.

    Madry et al., 2018, arXiv:1706.06083. With one step of size 1.25 eps from a uniform start it is
    "fast" adversarial training (Wong et al., 2020, arXiv:2001.03994).

    With `attack=fgsm(threat)` in Linf, L2 or L1 it is RT (Shaham et al., 2018, arXiv:1511.05432):
    x' = x + argmax <grad_x CE, D> over ||D|| <= eps; and in L2 the loss surrogate of LWA (Huang et
    al., 2015, arXiv:1511.03034). Neither clips x' to [0, 1] in the paper; `fgsm` does. With
    `attacks.MisclassificationSurrogate` it is the other surrogate of LWA.
    """

    needs_attack = True

    def objective(self, x, x_adv, y):
        logits = self.logits(x_adv)
        return self.criterion(y, logits), None, logits
