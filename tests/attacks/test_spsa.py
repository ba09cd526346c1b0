import functools

import numpy as np
import pytest
from keras import ops
from tiny import numpy, tiny_batch, tiny_linear

from robustzoo.attacks import SPSA, generate, run
from robustzoo.attacks._counter import random_bits
from robustzoo.attacks.spsa import directions, spsa_gradient
from robustzoo.backend import compiled
from robustzoo.losses import margin
from robustzoo.threats import L2, Linf


def test_mean_is_the_gradient_of_a_linear_loss_scale_included():
    """An estimate of w_i has variance (||w||^2 - w_i^2) / samples; 64 keys give 64 estimates."""
    samples, shape = 64, (64, 4, 4, 3)
    w = np.random.default_rng(0).normal(size=shape[1:]).astype("float32")
    z, key = ops.full(shape, 0.5), ops.arange(64, dtype="int32")

    def values(z, y, i):
        return ops.sum(z * w, axis=(1, 2, 3))

    estimates = compiled(lambda: spsa_gradient(values, z, key, key, key, samples, 0.5), [])()
    estimate = numpy(estimates).mean(0)
    error = (estimate - w) / np.sqrt((np.sum(w**2) - w**2) / (64 * samples))
    assert np.abs(error).max() < 4.5  # of 48 normal errors, one in 3000 runs exceeds it
    assert 0.3 < np.mean(error**2) < 2.0  # mean 1, deviation about sqrt(2 / 48) = 0.2
    scale = np.sum(estimate * w) / np.sum(w**2)
    np.testing.assert_allclose(scale, 1.0, atol=5 * np.sqrt(2 / (64 * samples)))


def test_directions_are_fair_independent_and_fresh():
    size, key = 500, ops.arange(8, dtype="int32")
    words = [random_bits(key, ops.full_like(key, counter), (2, size, 1, 1)) for counter in (0, 1)]
    numbers = ops.arange(0, 64, 3, dtype="int32")
    v = np.concatenate([numpy(directions(w, numbers)).reshape(-1, size) for w in words])
    assert set(np.unique(v)) == {-1.0, 1.0}
    assert np.abs(v.mean(0)).max() < 5 / np.sqrt(len(v))
    assert np.abs(v.mean(1)).max() < 5 / np.sqrt(size)
    among = (v @ v.T / size)[np.triu_indices(len(v), 1)]
    assert np.abs(among).max() < 6 / np.sqrt(size)
    np.testing.assert_allclose(among.std(), 1 / np.sqrt(size), rtol=0.05)


def test_every_step_has_fresh_directions():
    x, y = map(ops.convert_to_tensor, tiny_batch(3))
    model, attack = tiny_linear(4), SPSA(Linf(1.0), samples=4, learning_rate=1e-6)
    first = attack.begin(model, x, y, 0, 0)
    slopes = []
    for steps in range(3):
        state = {**first, "steps": ops.full_like(first["steps"], steps)}
        slopes.append(numpy(attack.step(model, state, x, y)["mean"]))
    assert np.abs(slopes[0] - slopes[1]).max() > 0 and np.abs(slopes[1] - slopes[2]).max() > 0


def test_the_first_step_is_adam_on_the_estimate():
    """Adam's first step is lr sign(g) but for 1e-8."""
    x, y = tiny_batch(4)
    model, attack = tiny_linear(4), SPSA(Linf(0.5), steps=1, samples=8, learning_rate=0.02)
    state = attack.begin(model, ops.convert_to_tensor(x), ops.convert_to_tensor(y), 0, 0)
    state = attack.step(model, state, ops.convert_to_tensor(x), ops.convert_to_tensor(y))
    slope = numpy(state["mean"]) / 0.1
    clear = np.abs(slope) > 1e-3
    wanted = np.clip(x + 0.02 * np.sign(slope), 0, 1)
    np.testing.assert_allclose(numpy(state["best"])[clear], wanted[clear], atol=1e-5)


@pytest.mark.parametrize("threat", [Linf(0.05), L2(0.5)], ids=["linf", "l2"])
def test_comes_near_the_worst_case_of_a_linear_model(threat):
    x, model = tiny_batch(8)[0] * 0.5 + 0.25, tiny_linear()
    w = numpy(model.layers[-1].kernel)
    w, y = w[:, 0] - w[:, 1], np.zeros(8, "int32")
    most = threat.eps * (np.abs(w).sum() if isinstance(threat, Linf) else np.sqrt((w**2).sum()))
    z = generate(SPSA(threat, steps=10, samples=32), model, x, y, seed=3)
    rise = numpy(margin(y, model(z))) - numpy(margin(y, model(x)))
    assert rise.min() > 0.5 * most and rise.max() < most + 1e-3


def test_batch_size_does_not_matter_and_the_seed_does():
    x, y = tiny_batch(7)
    model, attack = tiny_linear(4), SPSA(Linf(0.1), steps=3, samples=4)
    whole = generate(attack, model, x, y, seed=1)
    np.testing.assert_allclose(whole, generate(attack, model, x, y, 3, seed=1), atol=1e-5)
    assert np.abs(whole - generate(attack, model, x, y, seed=2)).max() > 1e-3


def test_targeted_reaches_the_target_and_spends_outputs_only():
    x, y = tiny_batch(8)
    model, target = tiny_linear(4), (y + 1) % 4
    attack = SPSA(Linf(0.5), steps=8, samples=16, learning_rate=0.1, targeted=True)
    outcome = run(attack, model, x, target)
    assert (numpy(model(x)).argmax(1) != target).any()
    np.testing.assert_array_equal(numpy(model(outcome.images)).argmax(1), target)
    assert outcome.success.all() and outcome.gradients == 0
    assert outcome.queries == 8 * 8 * (2 * 16 + 1)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"steps": 0}, "steps must be a positive integer"),
        ({"samples": 0}, "samples must be a positive integer"),
        ({"delta": 0.0}, "delta must be a positive number"),
        ({"learning_rate": -1.0}, "learning_rate must be a positive number"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        SPSA(Linf(0.1), **options)

    with pytest.raises(ValueError, match="threat must be"):
        SPSA(0.1)


def test_a_direction_without_an_outcome_counts_for_nothing():
    """The same estimate as of a loss that is flat along it."""
    z, key = ops.full((2, 4, 4, 3), 0.5), ops.arange(2, dtype="int32")

    def values(missing, z, y, i):
        total = ops.sum(z, axis=(1, 2, 3))
        return ops.where(total > 24.1, missing, total)  # 48 pixels of 0.5 and more

    def estimate(missing):
        loss = functools.partial(values, missing)
        return numpy(spsa_gradient(loss, z, key, key, key, 16, 0.1))

    assert np.isfinite(estimate(np.nan)).all() and np.abs(estimate(np.nan)).max() > 0
    np.testing.assert_array_equal(estimate(np.nan), estimate(np.inf))
