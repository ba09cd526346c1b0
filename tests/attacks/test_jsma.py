import keras
import numpy as np
import pytest
from tiny import numpy, tiny_batch, tiny_linear

from robustzoo.attacks import JSMA, run
from robustzoo.attacks.jsma import best_pair


def predicted(model, x):
    return numpy(model(x)).argmax(1).astype("int32")


def dense_pair(rise, fall, free):
    """(score, {p, q}) of one image by the whole table; score 0 where no pair is salient."""
    a, b = rise[:, None] + rise[None], -(fall[:, None] + fall[None])
    salient = (a > 0) & (b < 0) & free[:, None] & free[None] & ~np.eye(len(rise), dtype=bool)
    table = np.where(salient, -a * b, 0)
    return table.max(), set(map(int, np.unravel_index(table.argmax(), table.shape)))


@pytest.mark.parametrize("size", [2, 3, 12, 51])
def test_best_pair_is_that_of_the_dense_table(size):
    generator = np.random.default_rng(size)
    rise, fall = generator.normal(size=(2, 16, size)).astype("float32")
    free = generator.uniform(size=(16, size)) < 0.8
    found = [numpy(v) for v in best_pair(*map(keras.ops.convert_to_tensor, (rise, fall, free)))]
    salient = 0
    for score, first, second, *image in zip(*found, rise, fall, free, strict=True):
        best, pair = dense_pair(*image)
        np.testing.assert_allclose(score, best, rtol=1e-6)
        if best > 0:
            assert {int(first), int(second)} == pair
            salient += 1
    assert salient > 0


def test_no_pair_is_salient_where_every_sum_has_the_wrong_sign():
    up, free = keras.ops.ones((2, 5)), keras.ops.ones((2, 5), "bool")
    assert not numpy(best_pair(-up, up, free)[0]).any()
    assert not numpy(best_pair(up, -up, free)[0]).any()
    assert not numpy(best_pair(up, up, keras.ops.zeros((2, 5), "bool"))[0]).any()


@pytest.mark.parametrize("theta", [0.3, -0.3])
def test_follows_the_greedy_pairs_of_a_linear_model(theta):
    """On a linear model the slopes are the weights, so that NumPy can play the whole attack."""
    x, y = tiny_batch(8)
    model, target = tiny_linear(4), (y + 1) % 4
    kernel = numpy(model.layers[-1].kernel) * np.sign(theta)
    outcome = run(JSMA(theta, gamma=0.2), model, x, target)
    for i, t in enumerate(target):
        z, free = x[i].reshape(-1).copy(), np.ones(192, bool)
        for _ in range(int(192 * 0.2 / 2)):
            if predicted(model, z.reshape(1, 8, 8, 3))[0] == t:
                break
            score, pair = dense_pair(kernel[:, t], kernel[:, t] - kernel.sum(1), free)
            if score == 0:
                break
            z[list(pair)] = np.clip(z[list(pair)] + np.float32(theta), 0, 1)
            free[list(pair)] = False
        reached = predicted(model, z.reshape(1, 8, 8, 3))[0] == t
        assert outcome.success[i] == reached
        wanted = z.reshape(8, 8, 3) if reached else x[i]
        np.testing.assert_allclose(outcome.images[i], wanted, atol=1e-6)
    assert outcome.success.any()


def test_gamma_bounds_the_changes_and_a_failure_returns_the_clean_image():
    x, y = tiny_batch()
    model, target = tiny_linear(4), (y + 1) % 4
    counts = []
    for gamma in (0.02, 0.2, 1.0):
        outcome = run(JSMA(theta=0.3, gamma=gamma), model, x, target)
        changed = (outcome.images != x).sum((1, 2, 3))
        assert changed.max() <= 192 * gamma
        np.testing.assert_array_equal(outcome.distance, changed)
        reached = predicted(model, outcome.images) == target
        np.testing.assert_array_equal(reached, outcome.success)
        assert not changed[~outcome.success].any()
        counts.append(int(outcome.success.sum()))
    assert counts[0] < counts[1] <= counts[2]


def test_in_a_graph_as_image_by_image():
    x, y = tiny_batch(6)
    model, target = tiny_linear(4), (y + 1) % 4
    attack = JSMA(theta=0.3, gamma=0.1)
    np.testing.assert_allclose(
        numpy(attack(model, x, keras.ops.convert_to_tensor(target))),
        run(attack, model, x, target).images,
        atol=1e-6,
    )


@pytest.mark.parametrize(
    "options, message",
    [
        ({"theta": 0.0}, "theta must be in"),
        ({"gamma": 1.5}, "gamma must be in"),
        ({"theta": "1"}, "theta must be .* Received: theta='1'"),
        ({"gamma": "1"}, "gamma must be .* Received: gamma='1'"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        JSMA(**options)
