"""The attacks that every card shows."""

from robustzoo.attacks import PGD, fgsm
from robustzoo.threats import L2, Linf

STANDARD = {  # the threat of the literature, where a model claims none
    "mnist": Linf(0.3),
    "fashion_mnist": Linf(0.1),
    "cifar10": Linf(8 / 255),
    "cifar100": Linf(8 / 255),
    "svhn": Linf(8 / 255),
}


def standard_threat(dataset: str) -> Linf:
    """The Linf ball in which the literature attacks models of `dataset`."""
    return STANDARD[dataset]


def suite(threat: Linf | L2, restarts: int = 2) -> dict[str, PGD]:
    """FGSM, PGD-20 with step eps / 4 and PGD-40 with step eps / 30 and restarts, by label.

    At eps 8/255 and 0.3 these are the steps that Madry et al. (arXiv:1706.06083) report: 2/255
    on CIFAR-10 and 0.01 on MNIST.
    """
    many = f" x {restarts}" if restarts > 1 else ""
    return {
        "FGSM": fgsm(threat),
        "PGD-20": PGD(threat, step_size=threat.eps / 4, steps=20),
        f"PGD-40{many}": PGD(threat, step_size=threat.eps / 30, steps=40, restarts=restarts),
    }
