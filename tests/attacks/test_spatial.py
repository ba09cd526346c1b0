import dataclasses

import numpy as np
import pytest
from keras import ops
from tiny import numpy, tiny_batch, tiny_classifier, tiny_linear

from robustzoo.attacks import Spatial, run
from robustzoo.attacks.spatial import transform


def transformed(x, down, right, angle):
    parameters = ops.convert_to_tensor([[down, right, angle]] * len(x), "float32")
    return numpy(transform(ops.convert_to_tensor(x.copy()), parameters))  # rot90's strides are < 0


def predicted(model, x):
    return numpy(model(x)).argmax(1).astype("int32")


def undecided(count):
    """A linear model, and images on all sides of its boundaries, labelled by it."""
    model, x = tiny_linear(4), tiny_batch(count)[0]
    model.layers[-1].bias.assign(-numpy(model(x)).mean(0))
    return model, x, predicted(model, x)


def table(attack):
    count = ops.arange(attack.steps, dtype="int32")
    return numpy(attack.parameters(ops.full_like(count, 7), count))


@pytest.mark.parametrize("quarters", [1, 2, 3, -1])
@pytest.mark.parametrize("side", [7, 8])
def test_quarter_turns(quarters, side):
    x = np.random.default_rng(0).uniform(size=(2, side, side, 3)).astype("float32")
    turned = transformed(x, 0, 0, 90 * quarters)
    np.testing.assert_allclose(turned, np.rot90(x, quarters, axes=(1, 2)), atol=1e-5)


@pytest.mark.parametrize("down, right", [(2, 0), (0, -3), (-1, 3), (9, 0)])
def test_whole_shifts(down, right):
    x = np.random.default_rng(0).uniform(size=(2, 8, 6, 1)).astype("float32")
    padded = np.pad(x, ((0, 0), (9, 9), (9, 9), (0, 0)))
    expected = np.roll(padded, (down, right), axis=(1, 2))[:, 9:-9, 9:-9]
    np.testing.assert_array_equal(transformed(x, down, right, 0), expected)


def test_half_a_pixel_is_the_mean_of_two():
    x = np.random.default_rng(0).uniform(size=(1, 5, 5, 1)).astype("float32")
    above = np.pad(x, ((0, 0), (1, 0), (0, 0), (0, 0)))[:, :-1]
    np.testing.assert_allclose(transformed(x, 0.5, 0, 0), (x + above) / 2, atol=1e-6)


def test_rotates_first_and_shifts_then():
    x = np.random.default_rng(0).uniform(size=(1, 7, 7, 1)).astype("float32")
    expected = transformed(np.rot90(x, axes=(1, 2)), 2, -1, 0)
    np.testing.assert_allclose(transformed(x, 2, -1, 90), expected, atol=1e-5)


def test_the_published_grid():
    grid = table(Spatial())
    assert grid.shape == (775, 3) and len(np.unique(grid, axis=0)) == 775
    for column, values in zip(
        grid.T, ([-3, -1.5, 0, 1.5, 3], [-3, -1.5, 0, 1.5, 3], range(-30, 31, 2)), strict=True
    ):
        np.testing.assert_allclose(np.unique(column), values, atol=1e-6)
    assert (np.abs(grid).sum(1) == 0).sum() == 1


def test_random_tries_stay_in_range_and_differ():
    tries = table(Spatial(rotation=20, translation=2, tries=500))
    assert len(np.unique(tries, axis=0)) == 500
    for column, most in zip(tries.T, (2, 2, 20), strict=True):
        assert most * 0.98 < column.max() <= most and -most <= column.min() < -most * 0.98


def test_keeps_the_worst_of_the_grid():
    """Against every transformation done one by one."""
    model, x, y = undecided(8)
    attack = Spatial(rotation=3.0, translation=0.2, grid=(2, 3, 2))
    logits = np.stack([numpy(model(transformed(x, *row))) for row in table(attack)])
    worst = (logits.argmax(2) != y).any(0)
    outcome = run(attack, model, x, y, batch_size=5)
    np.testing.assert_array_equal(outcome.success, worst)
    np.testing.assert_array_equal(predicted(model, outcome.images) != y, worst)
    assert 0 < worst.mean() < 1
    assert outcome.queries == 12 * 8 and outcome.gradients == 0
    loss = np.log(np.exp(logits - np.take_along_axis(logits, y[None, :, None], 2)).sum(2))
    found = numpy(model(outcome.images))
    found = np.log(np.exp(found - np.take_along_axis(found, y[:, None], 1)).sum(1))
    loss = np.where((logits.argmax(2) != y) | ~worst, loss, -np.inf)
    np.testing.assert_allclose(found, loss.max(0), rtol=1e-4)


def test_nothing_allowed_is_the_identity():
    x, y = tiny_batch(8)
    for attack in (
        Spatial(rotation=0, translation=0, grid=(2, 1, 3)),
        Spatial(rotation=0, translation=0, tries=3),
    ):
        np.testing.assert_array_equal(run(attack, tiny_classifier(), x, y).images, x)


def test_more_tries_never_help_the_defender():
    model, x, y = undecided(32)
    attack = Spatial(rotation=3.0, translation=0.2, tries=2)
    few, many = (
        run(dataclasses.replace(attack, tries=tries), model, x, y, seed=4) for tries in (2, 20)
    )
    assert not (few.success & ~many.success).any() and few.success.sum() < many.success.sum()


@pytest.mark.parametrize(
    "options, message",
    [
        ({"rotation": -1.0}, "rotation must be a finite number >= 0"),
        ({"translation": float("nan")}, "translation must be a finite number >= 0"),
        ({"rotation": "30"}, "rotation must be .* Received: rotation='30'"),
        ({"translation": "3"}, "translation must be .* Received: translation='3'"),
        ({"grid": (5, 5)}, "grid must be a tuple of three positive integers"),
        ({"grid": (5, 0, 31)}, "grid must be a tuple of three positive integers"),
        ({"grid": [1, 1, 3]}, r"grid must be a tuple .* Received: \[1, 1, 3\]"),
        ({"tries": 0}, "tries must be a positive integer"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        Spatial(**options)
