"""Attacks: callables `attack(model, x, y, seed, training=False) -> x_adv`."""

from robustzoo.attacks.apgd import APGD
from robustzoo.attacks.base import Attack
from robustzoo.attacks.bim import bim
from robustzoo.attacks.bpda import bpda
from robustzoo.attacks.carlini_wagner import CarliniWagner
from robustzoo.attacks.deepfool import DeepFool
from robustzoo.attacks.ead import EAD
from robustzoo.attacks.fab import FAB
from robustzoo.attacks.fgsm import fgsm
from robustzoo.attacks.generate import generate
from robustzoo.attacks.ilcm import ILCM
from robustzoo.attacks.jsma import JSMA
from robustzoo.attacks.lbfgs import LBFGS
from robustzoo.attacks.mim import MIM
from robustzoo.attacks.misclassification_surrogate import MisclassificationSurrogate
from robustzoo.attacks.noise import Noise
from robustzoo.attacks.pgd import PGD
from robustzoo.attacks.run import Outcome, run
from robustzoo.attacks.spatial import Spatial
from robustzoo.attacks.spsa import SPSA
from robustzoo.attacks.square import Square
from robustzoo.attacks.transfer import Transfer

__all__ = [
    "APGD",
    "EAD",
    "FAB",
    "ILCM",
    "JSMA",
    "LBFGS",
    "MIM",
    "PGD",
    "SPSA",
    "Attack",
    "CarliniWagner",
    "DeepFool",
    "MisclassificationSurrogate",
    "Noise",
    "Outcome",
    "Spatial",
    "Square",
    "Transfer",
    "bim",
    "bpda",
    "fgsm",
    "generate",
    "run",
]
