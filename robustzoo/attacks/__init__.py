"""Attacks: callables `attack(model, x, y, seed, training=False) -> x_adv`."""

from robustzoo.attacks.bim import bim
from robustzoo.attacks.fgsm import fgsm
from robustzoo.attacks.generate import generate
from robustzoo.attacks.pgd import PGD

__all__ = ["PGD", "bim", "fgsm", "generate"]
