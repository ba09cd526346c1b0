"""Basic iterative method."""

from robustzoo.attacks.pgd import PGD
from robustzoo.threats import L1, L2, Linf


def bim(threat: Linf | L2 | L1, step_size: float, steps: int = 10, **options) -> PGD:
    """FGSM repeated with a smaller step: PGD from the clean image (Kurakin, arXiv:1607.02533).

    `options` are those of `PGD` except its start.
    """
    return PGD(threat, step_size=step_size, steps=steps, start="clean", **options)
