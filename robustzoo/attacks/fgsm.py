"""Fast gradient sign method."""

from robustzoo.attacks.pgd import PGD
from robustzoo.threats import L1, L2, Linf


def fgsm(threat: Linf | L2 | L1, **options) -> PGD:
    """x + eps sign(grad_x CE), clipped to [0, 1] (Goodfellow et al., 2015, arXiv:1412.6572).

    In L2 the step is eps g / ||g||_2. `options` are those of `PGD` except its steps and start.
    """
    return PGD(threat, step_size=threat.eps, steps=1, start="clean", **options)
