"""Hyper-parameters: what is no number of their range is refused, numbers of numpy are not."""

import re

import numpy as np
import pytest

from robustzoo import defenses, layers, losses
from robustzoo.attacks import PGD
from robustzoo.check_number import check_number
from robustzoo.threats import Linf
from tests.tiny import tiny_linear

THREAT = Linf(0.1)
ATTACK = PGD(THREAT, 0.05, steps=2)
NUMBERS = [  # makes something of one number; its name; one more that is out of range
    (lambda v: losses.ADP(alpha=v), "alpha", -1),
    (lambda v: losses.LargeMarginGM(margin=v), "margin", -1),
    (lambda v: losses.LargeMarginGM(likelihood=v), "likelihood", -1),
    (lambda v: losses.TemperedCrossEntropy(v), "temperature", 0),
    (lambda v: layers.Temperature(v), "temperature", 0),
    (lambda v: layers.Noise(v), "scale", -1),
    (lambda v: layers.CenterLogits(4, scale=v), "scale", 0),
    (lambda v: layers.max_mahalanobis_centers(4, 3, scale=v), "scale", -1.0),
    (lambda v: layers.random_centers(4, 3, scale=v), "scale", 0),
    (lambda v: layers.MixupPool(other_mixing=v), "other_mixing", 2),
    (lambda v: defenses.Distillation(tiny_linear(), tiny_linear(), v), "temperature", 0),
    (lambda v: defenses.CenterLossTraining(tiny_linear(), weight=v), "weight", -1),
    (lambda v: defenses.CenterLossTraining(tiny_linear(), rate=v), "rate", 2),
    (lambda v: defenses.MixupTraining(tiny_linear(), alpha=v), "alpha", 0),
    (lambda v: defenses.NoiseTraining(tiny_linear(), sigma=v), "sigma", 0),
    (lambda v: defenses.Trades(tiny_linear(), ATTACK, beta=v), "beta", -1),
    (lambda v: defenses.AdversarialMixing(tiny_linear(), ATTACK, alpha=v), "alpha", 2),
    (lambda v: defenses.RandomEps(ATTACK, v), "least", 2),
    (lambda v: defenses.IBP(tiny_linear(), threat=THREAT, inflation=v), "inflation", 0),
    (lambda v: defenses.IBP(tiny_linear(), threat=THREAT, weight=v), "weight", 2),
    (lambda v: defenses.SABR(tiny_linear(), threat=THREAT, inflation=v), "inflation", 0),
    (lambda v: defenses.SABR(tiny_linear(), threat=THREAT, subselection=v), "subselection", 0),
    (lambda v: defenses.MTLIBP(tiny_linear(), threat=THREAT, inflation=v), "inflation", 0),
    (lambda v: defenses.MTLIBP(tiny_linear(), threat=THREAT, alpha=v), "alpha", 2),
    (lambda v: defenses.CrownIBP(tiny_linear(), threat=THREAT, final=v), "final", 2),
]
each = pytest.mark.parametrize(
    ("make", "name", "outside"), NUMBERS, ids=[f"{n}-{k}" for k, (_, n, _) in enumerate(NUMBERS)]
)


@each
def test_refuses_what_is_no_number_of_its_range(make, name, outside):
    for value in (outside, float("nan"), float("inf"), "a", None, np.nan):
        with pytest.raises(ValueError, match=f"{name} must .*Received: {name}={value!r}"):
            make(value)


@each
def test_takes_numbers_of_numpy(make, name, outside):
    for value in (1, np.float32(0.5), np.float64(0.5), np.int64(1)):
        make(value)


def test_regularization_is_a_number():
    for value in (-1.0, float("nan"), "a"):
        with pytest.raises(ValueError, match="regularization must be a finite number >= 0"):
            defenses.IBP(tiny_linear(), threat=THREAT, regularization=value, warmup_steps=5)


def test_radius_decay_is_a_number():
    for value in (1.0, float("nan"), "a"):
        with pytest.raises(ValueError, match=re.escape("radius_decay must lie in [0, 1)")):
            defenses.AdversarialGenerator(tiny_linear(), threat=THREAT, radius_decay=value)


def test_whole_numbers():
    for value in (np.int64(3), 1):
        check_number("pool", value, ">= 1", whole=True)
    for value in (0, 2.0, True, "3", None):
        with pytest.raises(
            ValueError, match=f"pool must be an integer >= 1. Received: pool={value!r}"
        ):
            check_number("pool", value, ">= 1", whole=True)
