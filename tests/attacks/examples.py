"""One small instance of every attack, for the contract that all of them keep."""

from robustzoo.attacks import PGD, bim, fgsm
from robustzoo.threats import L2, Linf

LINF, BALL = Linf(8 / 255), L2(0.5)

EXAMPLES = {
    "bim": lambda: bim(LINF, 2 / 255, steps=5),
    "fgsm": lambda: fgsm(LINF),
    "fgsm-l2": lambda: fgsm(BALL),
    "pgd": lambda: PGD(LINF, 2 / 255, steps=5, restarts=2),
    "pgd-l2": lambda: PGD(BALL, 0.1, steps=5),
}
