import dataclasses

import keras
import numpy as np
import pytest
from keras import ops
from tiny import numpy, tiny_batch, tiny_linear

from robustzoo.attacks import Noise, generate, run
from robustzoo.threats import L1, L2, Linf


def draws(attack, shape, count):
    """What steps 0 .. `count` - 1 add to an image, as (count, d)."""
    x = ops.full((count, *shape), 0.5)
    counter = ops.arange(count, dtype="int32")
    shift = attack._draw(ops.full_like(counter, 12345), counter, x)
    return numpy(shift).reshape(count, -1)


def predicted(model, x):
    return numpy(model(x)).argmax(1).astype("int32")


@pytest.mark.parametrize(
    "kind, deviation, inside", [("uniform", 0.1 / np.sqrt(3), 1.0), ("gaussian", 0.05, 0.9545)]
)
def test_moments_in_linf(kind, deviation, inside):
    noise = draws(Noise(Linf(0.1), kind), (8, 8, 3), 200)
    assert abs(noise.mean()) < 5 * deviation / np.sqrt(noise.size)
    assert noise.std() == pytest.approx(deviation, rel=0.02)
    assert (np.abs(noise) <= 0.1).mean() == pytest.approx(inside, abs=0.005)


def test_moments_in_l2():
    """Radius eps U^(1/d) in the ball; for the Gaussian eps sqrt(chi^2_d / d), then projected."""
    shape, size = (2, 2, 1), 4
    noise = draws(Noise(L2(0.2), "uniform"), shape, 2000)
    radius = np.linalg.norm(noise, axis=1)
    assert radius.max() <= 0.2 + 1e-6
    assert radius.mean() == pytest.approx(0.2 * size / (size + 1), rel=0.02)
    np.testing.assert_allclose(np.cov((noise / radius[:, None]).T), np.eye(4) / 4, atol=0.03)
    noise = draws(Noise(L2(0.2), "gaussian"), shape, 2000)
    assert (noise**2).sum(1).mean() == pytest.approx(0.04, rel=0.05)


@pytest.mark.parametrize("kind", ["uniform", "gaussian"])
@pytest.mark.parametrize("threat", [Linf(0.1), L2(0.5)], ids=["linf", "l2"])
def test_more_draws_find_more_and_stay_within_the_budget(kind, threat):
    model, x = tiny_linear(), tiny_batch()[0]
    model.layers[-1].bias.assign(-numpy(model(x)).mean(0))  # half of the images on either side
    y = predicted(model, x)
    few, many = (run(Noise(threat, kind, steps), model, x, y) for steps in (2, 60))
    for outcome in (few, many):
        assert numpy(threat.distance(outcome.images, x)).max() <= threat.eps + 1e-6
        np.testing.assert_array_equal(predicted(model, outcome.images) != y, outcome.success)
    assert few.success.sum() < many.success.sum() < len(x)
    assert not (few.success & ~many.success).any()
    assert many.queries < 60 * len(x) and many.gradients == 0


def test_keeps_the_worst_draw_where_none_fools():
    x, model = tiny_batch(4)[0], tiny_linear()
    y, w = predicted(model, x), numpy(model.layers[-1].kernel)
    attack = Noise(Linf(1e-4), steps=50)
    z = generate(attack, model, x, y, seed=3)

    def rise(z):
        return ((z - x).reshape(4, -1) @ (w[:, 0] - w[:, 1])) * np.where(y == 0, -1, 1)

    single = generate(dataclasses.replace(attack, steps=1), model, x, y, seed=3)
    assert (
        (rise(z) > 0).all() and (rise(z) >= rise(single)).all() and (rise(z) > rise(single)).any()
    )


def test_ten_thousand_draws_break_what_one_in_a_hundred_breaks():
    """Class 1 where the first pixel rises by more than 98% of eps."""
    images = keras.Input((1, 1, 1))
    score = keras.layers.Flatten()(images)
    model = keras.Model(images, ops.concatenate([ops.full_like(score, 0.598), score], axis=1))
    x, y = np.full((20, 1, 1, 1), 0.5, "float32"), np.zeros(20, "int32")
    outcome = run(Noise(Linf(0.1)), model, x, y, batch_size=8)
    assert outcome.success.all() and outcome.images.min() > 0.598
    assert 20 * 40 < outcome.queries < 20 * 250  # 100 draws each, in the mean


def test_targeted():
    model, x = tiny_linear(4), tiny_batch()[0]
    target = ((predicted(model, x) + 1) % 4).astype("int32")
    outcome = run(Noise(Linf(0.5), steps=100, targeted=True), model, x, target)
    assert 0 < outcome.success.mean()
    np.testing.assert_array_equal(predicted(model, outcome.images) == target, outcome.success)


@pytest.mark.parametrize(
    "threat, options, message",
    [
        (L1(1.0), {}, "threat must be"),
        (Linf(0.1), {"kind": "salt"}, "kind must be one of"),
        (Linf(0.1), {"steps": 0}, "steps must be a positive integer"),
    ],
)
def test_bad_options(threat, options, message):
    with pytest.raises(ValueError, match=message):
        Noise(threat, **options)
