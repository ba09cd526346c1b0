"""Defenses: `keras.Model` subclasses whose `train_step` makes a classifier robust."""

from robustzoo.defenses.adaptive_diversity import AdaptiveDiversity
from robustzoo.defenses.adversarial_mixing import AdversarialMixing
from robustzoo.defenses.base import Defense
from robustzoo.defenses.center_loss_training import CenterLossTraining
from robustzoo.defenses.distillation import Distillation
from robustzoo.defenses.madry_training import MadryTraining
from robustzoo.defenses.mixup_training import MixupTraining
from robustzoo.defenses.random_eps import RandomEps
from robustzoo.defenses.standard_training import StandardTraining
from robustzoo.defenses.trades import Trades

__all__ = [
    "AdaptiveDiversity",
    "AdversarialMixing",
    "CenterLossTraining",
    "Defense",
    "Distillation",
    "MadryTraining",
    "MixupTraining",
    "RandomEps",
    "StandardTraining",
    "Trades",
]
