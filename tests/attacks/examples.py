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
    MisclassificationSurrogate,
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
    "apgd": APGD(LINF, steps=5, restarts=2),
    "apgd-dlr-l2": APGD(BALL, steps=5, loss=dlr),
    "apgd-l1": APGD(L1(6.0), steps=5),
    "apgd-l1-larger-eps": APGD(L1(6.0), steps=5, larger_eps=True),
    "apgd-t": APGD(LINF, steps=5, targets=3),
    "bim": bim(LINF, 2 / 255, steps=5),
    "carlini-wagner": CarliniWagner(initial_c=1.0, searches=3, iterations=10),
    "deepfool": DeepFool(steps=5),
    "deepfool-linf": DeepFool(Linf, steps=5),
    "ead": EAD(initial_c=1.0, searches=3, iterations=10),
    "fab": FAB(LINF, steps=5, targets=2),
    "fab-l2": FAB(BALL, steps=5, targets=2, restarts=2),
    "fgsm": fgsm(LINF),
    "fgsm-l2": fgsm(BALL),
    "ilcm": ILCM(LINF, 2 / 255, steps=5),
    "jsma": JSMA(theta=0.5, gamma=0.05),
    "lbfgs": LBFGS(initial_c=1.0, searches=3, iterations=10),
    "mim": MIM(LINF, 2 / 255, steps=5),
    "mim-l2": MIM(BALL, 0.1, steps=5),
    "misclassification-surrogate": MisclassificationSurrogate(LINF),
    "misclassification-surrogate-l1": MisclassificationSurrogate(L1(0.5)),
    "misclassification-surrogate-l2": MisclassificationSurrogate(BALL),
    "noise": Noise(LINF, steps=5),
    "noise-gaussian-l2": Noise(BALL, "gaussian", steps=5),
    "pgd": PGD(LINF, 2 / 255, steps=5, restarts=2),
    "pgd-l2": PGD(BALL, 0.1, steps=5),
    "spatial": Spatial(grid=(1, 2, 3)),
    "spatial-random": Spatial(tries=3),
    "spsa": SPSA(LINF, steps=3, samples=8),
    "square": Square(LINF, steps=15),
    "square-l1": Square(L1(6.0), steps=15),
    "square-l2": Square(BALL, steps=15, restarts=2),
    "transfer-l1": Transfer(tiny_classifier(seed=1), APGD(L1(2.0), steps=7, larger_eps=True)),
    "transfer": Transfer(tiny_classifier(seed=1), DeepFool(steps=5)),
}
