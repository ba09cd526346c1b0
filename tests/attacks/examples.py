"""One small instance of every attack, for the contract that all of them keep."""

from tiny import tiny_classifier

from robustzoo.attacks import (
    APGD,
    EAD,
    FAB,
    ILCM,
    JSMA,
    LBFGS,
    MIM,
    PGD,
    SPSA,
    CarliniWagner,
    DeepFool,
    Noise,
    Spatial,
    Square,
    Transfer,
    bim,
    fgsm,
)
from robustzoo.losses import dlr
from robustzoo.threats import L1, L2, Linf

LINF, BALL = Linf(8 / 255), L2(0.5)

EXAMPLES = {
    "apgd": lambda: APGD(LINF, steps=5, restarts=2),
    "apgd-dlr-l2": lambda: APGD(BALL, steps=5, loss=dlr),
    "apgd-l1": lambda: APGD(L1(6.0), steps=5),
    "apgd-t": lambda: APGD(LINF, steps=5, targets=3),
    "bim": lambda: bim(LINF, 2 / 255, steps=5),
    "carlini-wagner": lambda: CarliniWagner(initial_c=1.0, searches=3, iterations=10),
    "deepfool": lambda: DeepFool(steps=5),
    "deepfool-linf": lambda: DeepFool(Linf, steps=5),
    "ead": lambda: EAD(initial_c=1.0, searches=3, iterations=10),
    "fab": lambda: FAB(LINF, steps=5, targets=2),
    "fab-l2": lambda: FAB(BALL, steps=5, targets=2, restarts=2),
    "fgsm": lambda: fgsm(LINF),
    "fgsm-l2": lambda: fgsm(BALL),
    "ilcm": lambda: ILCM(LINF, 2 / 255, steps=5),
    "jsma": lambda: JSMA(theta=0.5, gamma=0.05),
    "lbfgs": lambda: LBFGS(initial_c=1.0, searches=3, iterations=10),
    "mim": lambda: MIM(LINF, 2 / 255, steps=5),
    "mim-l2": lambda: MIM(BALL, 0.1, steps=5),
    "noise": lambda: Noise(LINF, steps=5),
    "noise-gaussian-l2": lambda: Noise(BALL, "gaussian", steps=5),
    "pgd": lambda: PGD(LINF, 2 / 255, steps=5, restarts=2),
    "pgd-l2": lambda: PGD(BALL, 0.1, steps=5),
    "spatial": lambda: Spatial(grid=(1, 2, 3)),
    "spatial-random": lambda: Spatial(tries=3),
    "spsa": lambda: SPSA(LINF, steps=3, samples=8),
    "square": lambda: Square(LINF, steps=15),
    "square-l2": lambda: Square(BALL, steps=15, restarts=2),
    "transfer": lambda: Transfer(tiny_classifier(seed=1), DeepFool(steps=5)),
}
