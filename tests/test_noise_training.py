"""Training on noise, by hand; what every defense does is tested in test_defenses.py."""

import keras
import pytest
from tiny import numpy, tiny_batch, tiny_classifier, tiny_linear

from robustzoo.attacks import PGD
from robustzoo.defenses import NoiseTraining
from robustzoo.losses import cross_entropy
from robustzoo.threats import L2

X, Y = tiny_batch(32)


def loss(defense):
    defense.compile(keras.optimizers.SGD(0.0))
    return float(defense.train_on_batch(X, Y, return_dict=True)["loss"])


def test_is_the_cross_entropy_on_noise_that_is_not_clipped():
    noise = numpy(keras.random.normal(X.shape, seed=keras.random.SeedGenerator(3)))
    assert (X + 0.7 * noise).min() < -0.5 and (X + 0.7 * noise).max() > 1.5
    expected = numpy(cross_entropy(Y, tiny_linear(4)(X + 0.7 * noise))).mean()
    assert loss(NoiseTraining(tiny_linear(4), sigma=0.7, seed=3)) == pytest.approx(expected, 1e-4)


def test_sigma_grows_over_the_warmup():
    half = loss(NoiseTraining(tiny_linear(4), sigma=1.4, seed=3, warmup_steps=2))
    assert half == pytest.approx(loss(NoiseTraining(tiny_linear(4), sigma=0.7, seed=3)), 1e-4)


def test_the_robust_accuracy_is_that_on_noise_unless_an_attack_is_given():
    x, y = tiny_batch(200)
    model = tiny_classifier()
    accuracies = {}
    for name, options in {
        "little": {"sigma": 1e-6},
        "much": {"sigma": 50.0},
        "attack": {"sigma": 50.0, "validation_attack": PGD(L2(0.0), 0.1, steps=1)},
    }.items():
        defense = NoiseTraining(model, **options)
        defense.compile()
        found = defense.evaluate(x, y, batch_size=200, verbose=0, return_dict=True)
        accuracies[name] = float(found["robust_accuracy"])
        clean = float(found["accuracy"])
    assert accuracies["little"] == accuracies["attack"] == pytest.approx(clean)
    assert accuracies["much"] != pytest.approx(clean)


@pytest.mark.parametrize("sigma", [0.0, -1.0, float("inf"), float("nan")])
def test_refuses(sigma):
    with pytest.raises(ValueError, match="sigma must be a finite number > 0"):
        NoiseTraining(tiny_linear(4), sigma=sigma)
