"""Defenses: `keras.Model` subclasses whose `train_step` makes a classifier robust."""

from robustzoo.defenses.adaptive_diversity import AdaptiveDiversity
from robustzoo.defenses.adversarial_generator import AdversarialGenerator
from robustzoo.defenses.adversarial_mixing import AdversarialMixing
from robustzoo.defenses.adversarial_pool import AdversarialPool
from robustzoo.defenses.base import Defense
from robustzoo.defenses.center_loss_training import CenterLossTraining
from robustzoo.defenses.certified import Certified
from robustzoo.defenses.crown_ibp import CrownIBP
from robustzoo.defenses.distillation import Distillation
from robustzoo.defenses.exact_linear import ExactLinear
from robustzoo.defenses.hidden_perturbation import HiddenPerturbation
from robustzoo.defenses.ibp import IBP
from robustzoo.defenses.madry_training import MadryTraining
from robustzoo.defenses.mixup_training import MixupTraining
from robustzoo.defenses.mtl_ibp import MTLIBP
from robustzoo.defenses.noise_training import NoiseTraining
from robustzoo.defenses.random_eps import RandomEps
from robustzoo.defenses.sabr import SABR
from robustzoo.defenses.standard_training import StandardTraining
from robustzoo.defenses.trades import Trades
from robustzoo.defenses.wong_kolter import WongKolter

__all__ = [
    "IBP",
    "MTLIBP",
    "SABR",
    "AdaptiveDiversity",
    "AdversarialGenerator",
    "AdversarialMixing",
    "AdversarialPool",
    "CenterLossTraining",
    "Certified",
    "CrownIBP",
    "Defense",
    "Distillation",
    "ExactLinear",
    "HiddenPerturbation",
    "MadryTraining",
    "MixupTraining",
    "NoiseTraining",
    "RandomEps",
    "StandardTraining",
    "Trades",
    "WongKolter",
]
