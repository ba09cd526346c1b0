"""The attacks that cards and commands name together."""

from collections.abc import Callable

import numpy as np
from keras import ops

from robustzoo.attacks import (
    APGD,
    FAB,
    PGD,
    CarliniWagner,
    DeepFool,
    Square,
    fgsm,
)
from robustzoo.closest import closest
from robustzoo.detect import evasion
from robustzoo.evaluation.describe import describe
from robustzoo.losses import cross_entropy, dlr, margin
from robustzoo.threats import L1, L2, Linf

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


def suite(
    threat: Linf | L2 | L1,
    name: str = "pgd",
    classes: int = 10,
    restarts: int = 2,
    draws: int = 1,
    loss: Callable | None = None,
) -> dict[str, Callable]:
    """Attacks by label.

    Args:
        threat: the budget of all of them.
        name: "quick", "pgd", "paper", "autoattack", "rand" or "evasion"; see `SUITES`.
        classes: of the model; AutoAttack's targets are the 9 next best (of APGD-T in L1 5), or all
            where fewer.
        restarts: of the PGD with most steps.
        draws: gradients averaged per step, outputs by Square, for models that are random ("rand"
            takes 20).
        loss: (y, logits) -> (B,), for one attack more, APGD that ascends it: of an adversary who
            knows the defense. It comes last, so that the others stay what is published.
    """
    if name not in SUITES:
        close = closest(name, SUITES)
        raise ValueError(
            f"suite must be one of {list(SUITES)}. Received: {name!r}; closest: {close!r}"
        )
    attacks = SUITES[name](threat, classes, restarts, draws)
    if loss:
        # A loss that wants more classes says so now, not after all the others.
        loss(np.zeros(1, "int32"), ops.zeros((1, classes)))
        most = max(attack.draws for attack in attacks.values())
        own = APGD(threat, loss=loss, draws=most)
        attacks[f"APGD {describe(own)['arguments']['loss']}"] = own
    return attacks


def _quick(threat, classes, restarts, draws):
    """FGSM and APGD with 20 steps: a first look."""
    return {
        "FGSM": fgsm(threat, draws=draws),
        "APGD-CE-20": APGD(threat, steps=20, draws=draws),
    }


def _pgd(threat, classes, restarts, draws):
    """FGSM, PGD-20 with step eps / 4, PGD-40 with step eps / 30 and restarts.

    At eps 8/255 and 0.3 these are the steps that Madry et al. (arXiv:1706.06083) report: 2/255
    on CIFAR-10 and 0.01 on MNIST. PGD-20 on the margin is for models whose cross-entropy saturates
    (MMC, distillation): its gradient does not vanish there. PGD-40's 40 steps of eps / 30 reach
    4 / 3 eps from a random start, so it can be weaker than PGD-20 with eps / 4; it is there because
    it is what is published. In L1, where a step of PGD moves a single pixel and soon wastes them on
    one that has reached the edge of [0, 1], it is APGD on both losses (Croce & Hein,
    arXiv:2103.01208).
    """
    if isinstance(threat, L1):
        return {
            "FGSM": fgsm(threat, draws=draws),
            "APGD-CE": APGD(threat, draws=draws),
            "APGD margin": APGD(threat, loss=margin, draws=draws),
        }
    many = f" x {restarts}" if restarts > 1 else ""
    return {
        "FGSM": fgsm(threat, draws=draws),
        "PGD-20": PGD(threat, threat.eps / 4, steps=20, draws=draws),
        "PGD-20 margin": PGD(threat, threat.eps / 4, steps=20, loss=margin, draws=draws),
        f"PGD-40{many}": PGD(threat, threat.eps / 30, steps=40, restarts=restarts, draws=draws),
    }


def _paper(threat, classes, restarts, draws):
    """What papers on defenses report: the above, PGD-100 on two losses, and minimal norms."""
    if isinstance(threat, L1):
        raise ValueError(f"the suite 'paper' needs a threat Linf or L2. Received: {threat}")
    long = dict(step_size=threat.eps / 30, steps=100, draws=draws)
    return {
        **_pgd(threat, classes, restarts, draws),
        "PGD-100": PGD(threat, **long),
        "PGD-100 margin": PGD(threat, loss=margin, **long),
        "DeepFool": DeepFool(type(threat), classes=min(10, classes), draws=draws),
        "C&W-1000": CarliniWagner(draws=draws),
    }


def _autoattack(threat, classes, restarts, draws):
    """AutoAttack's standard version (Croce & Hein, arXiv:2003.01690), to be run as a cascade.

    In L1 (arXiv:2103.01208) APGD shrinks its ball and has other numbers of runs.
    """
    if classes < 4:
        raise ValueError(f"AutoAttack needs at least 4 classes. Received: {classes} classes")
    rivals, shrinking = classes - 1, isinstance(threat, L1)
    runs, targets = (5, 5) if shrinking else (1, 9)
    apgd = {"threat": threat, "draws": draws, "larger_eps": shrinking}
    return {
        "APGD-CE": APGD(restarts=runs, **apgd),
        "APGD-T": APGD(targets=min(targets, rivals), **apgd),
        "FAB-T": FAB(threat, targets=min(9, rivals), draws=draws),
        "Square": Square(threat, draws=draws),
    }


def _rand(threat, classes, restarts, draws):
    """AutoAttack's version for random models: APGD on two losses, 20 gradients a step."""
    if classes < 3:
        raise ValueError(f"the suite 'rand' needs at least 3 classes. Received: {classes} classes")
    draws = max(20, draws)
    return {
        "APGD-CE": APGD(threat, loss=cross_entropy, draws=draws),
        "APGD-DLR": APGD(threat, loss=dlr, draws=draws),
    }


def _evasion(threat, classes, restarts, draws):
    """For models that abstain: PGD-40 on the class alone, then PGD-100 that knows the detector.

    The first is what detectors of the literature were tried against. The second ascends
    `detect.evasion`, from the clean image as well, and is what to believe.
    """
    if isinstance(threat, L1):
        raise ValueError(f"the suite 'evasion' needs a threat Linf or L2. Received: {threat}")
    long = dict(step_size=threat.eps / 30, steps=100, loss=evasion, draws=draws)
    many = f" x {restarts}" if restarts > 1 else ""
    return {
        "PGD-40 class": PGD(threat, threat.eps / 10, steps=40, loss=class_margin, draws=draws),
        f"PGD-100 evasion{many}": PGD(threat, restarts=restarts, **long),
        "BIM-100 evasion": PGD(threat, start="clean", **long),
    }


def class_margin(y, logits):
    """`losses.margin` of all logits but the last, which is the rejection."""
    return margin(y, logits[:, :-1])


SUITES = {
    "quick": _quick,
    "pgd": _pgd,
    "paper": _paper,
    "autoattack": _autoattack,
    "rand": _rand,
    "evasion": _evasion,
}
CASCADES = ("autoattack", "rand")  # suites in which an attack sees what those before it left
