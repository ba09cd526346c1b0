import numpy as np
import pytest
from keras import ops
from tiny import numpy, tiny_batch, tiny_linear

from robustzoo.attacks import LBFGS, generate
from robustzoo.attacks.run import run
from robustzoo.backend import compiled


def test_finds_the_nearest_point_of_a_linear_model():
    """||z - x||_2 = |m| / ||w0 - w1||_2."""
    x, model = tiny_batch(16)[0] * 0.5 + 0.25, tiny_linear()
    logits, w = numpy(model(x)), numpy(model.layers[-1].kernel)
    y = logits.argmax(1).astype("int32")
    z = generate(LBFGS(initial_c=0.1, searches=10, iterations=30), model, x, y)
    assert (numpy(model(z)).argmax(1) != y).all()
    norm = np.sqrt(((z - x) ** 2).sum((1, 2, 3)))
    ratio = norm * np.linalg.norm(w[:, 0] - w[:, 1]) / np.abs(logits[:, 0] - logits[:, 1])
    assert ratio.min() > 0.999
    assert np.median(ratio) < 1.03


def test_minimises_as_scipy_does():
    """||z - x||^2 - c log p_y of a linear model, where many pixels end at a bound."""
    optimize = pytest.importorskip("scipy.optimize")
    x, model, c = np.clip(3 * tiny_batch(2)[0] - 1, 0, 1), tiny_linear(4), 30.0
    kernel, target = numpy(model.layers[-1].kernel).astype("float64"), np.array([1, 2], "int32")

    def value_and_slope(z, x, t):
        logits = z @ kernel
        p = np.exp(logits - logits.max())
        p /= p.sum()
        value = ((z - x) ** 2).sum() - c * np.log(p[t])
        return value, 2 * (z - x) + c * kernel @ (p - np.eye(4)[t])

    attack = LBFGS(initial_c=c, searches=1, iterations=100, targeted=True)
    z, y = ops.convert_to_tensor(x), ops.convert_to_tensor(target)
    reached, state = z, compiled(lambda: attack.begin(model, z, y, 0, 0), model.variables)()
    step = compiled(lambda state: attack.step(model, state, z, y), model.variables)
    for _ in range(30):
        state = step(state)
        reached = ops.where(ops.reshape(state["search"], (-1, 1, 1, 1)) == 0, state["z"], reached)
    for ours, start, t in zip(numpy(reached).reshape(2, -1), x.reshape(2, -1), target, strict=True):
        start = start.astype("float64")
        best = optimize.minimize(
            value_and_slope, start, (start, t), "L-BFGS-B", True, bounds=[(0, 1)] * start.size
        )
        assert ((best.x == 0) | (best.x == 1)).sum() > 20
        assert value_and_slope(ours.astype("float64"), start, t)[0] <= best.fun * 1.001


def test_targeted_reaches_the_target():
    x, y = tiny_batch(8)
    model, target = tiny_linear(4), (y + 1) % 4
    outcome = run(LBFGS(targeted=True, searches=8, iterations=30), model, x, target)
    assert outcome.success.all()
    np.testing.assert_array_equal(numpy(model(outcome.images)).argmax(1), target)


def test_a_failure_is_the_clean_image():
    x, _ = tiny_batch(8)
    model = tiny_linear()
    model.layers[-1].kernel.assign(np.zeros(model.layers[-1].kernel.shape))
    model.layers[-1].bias.assign([1.0, 0.0])
    outcome = run(LBFGS(searches=3, iterations=5), model, x, np.zeros(8, "int32"))
    assert not outcome.success.any()
    np.testing.assert_array_equal(outcome.images, x)
    assert outcome.gradients == 8 * 3 * 2  # a search ends as soon as nothing moves


def test_bad_options():
    with pytest.raises(ValueError, match="iterations must be a positive integer"):
        LBFGS(iterations=0)
