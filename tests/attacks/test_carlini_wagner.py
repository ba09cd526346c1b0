import numpy as np
import pytest
from keras import ops
from tiny import numpy, tiny_batch, tiny_linear

from robustzoo.attacks import CarliniWagner, _search, generate
from robustzoo.attacks.run import run

QUICK = {"initial_c": 0.1, "searches": 5, "iterations": 100}


def linear():
    """A two-class model, images away from the box, their classes, margins and ||w0 - w1||_2."""
    x, model = tiny_batch(16)[0] * 0.5 + 0.25, tiny_linear()
    logits, w = numpy(model(x)), numpy(model.layers[-1].kernel)
    margins = np.abs(logits[:, 0] - logits[:, 1])
    return model, x, logits.argmax(1).astype("int32"), margins, np.linalg.norm(w[:, 0] - w[:, 1])


def norms(z, x):
    return np.sqrt(((z - x) ** 2).sum((1, 2, 3)))


@pytest.mark.parametrize("confidence", [0.0, 0.5])
def test_finds_the_nearest_point_of_a_linear_model(confidence):
    """||z - x||_2 = (|m| + kappa) / ||w0 - w1||_2."""
    model, x, y, margins, slope = linear()
    z = generate(CarliniWagner(confidence, **QUICK), model, x, y)
    logits = numpy(model(z))
    gap = logits[np.arange(16), 1 - y] - logits[np.arange(16), y]
    assert (gap > 0).all() and (gap >= confidence).all()
    ratio = norms(z, x) * slope / (margins + confidence)
    assert ratio.min() > 0.999
    assert np.median(ratio) < 1.03


def test_targeted_reaches_the_target():
    x, y = tiny_batch(8)
    model, target = tiny_linear(4), (y + 1) % 4
    attack = CarliniWagner(targeted=True, **QUICK)
    outcome = run(attack, model, x, target)
    assert outcome.success.all()
    np.testing.assert_array_equal(numpy(model(outcome.images)).argmax(1), target)
    already = numpy(model(x)).argmax(1) == target
    np.testing.assert_array_equal(outcome.images[already], x[already])


def test_a_failure_is_the_clean_image():
    model, x, _, _, _ = linear()
    model.layers[-1].kernel.assign(np.zeros(model.layers[-1].kernel.shape))
    model.layers[-1].bias.assign([1.0, 0.0])
    outcome = run(CarliniWagner(searches=2, iterations=5), model, x, np.zeros(16, "int32"))
    assert not outcome.success.any()
    np.testing.assert_array_equal(outcome.images, x)


def test_searches_too_short_to_arrive_go_on_where_the_last_one_ended():
    """Two steps of 0.02 in w move no pixel by more than 0.02: the boundary is further away."""
    model, x, y, margins, slope = linear()
    far = margins / slope > 0.02 * np.sqrt(x[0].size)
    assert far.any()
    short = CarliniWagner(initial_c=10.0, searches=40, iterations=2, learning_rate=0.02)
    outcome = run(short, model, x, y)
    assert outcome.success.all()


def test_the_search_for_c():
    """Nothing found: c times 10 until an upper bound exists; afterwards bisection, by hand."""
    attack = CarliniWagner(searches=5, iterations=1)
    floats, zero = {"c": 1e-3, "lower": 0.0, "upper": np.inf}, ops.zeros((1,), "int32")
    state = {name: ops.full((1,), value, "float32") for name, value in floats.items()}
    state |= {"search": zero, "iteration": zero, "done": ops.convert_to_tensor([False])}
    over, trace, done = ops.convert_to_tensor([True]), [], []
    for found in (False, False, True, False, True):
        state["found"] = ops.convert_to_tensor([found])
        state = _search.closing(attack, state, over)
        done.append(bool(state["done"][0]))
        state = _search.restarted(state, {})
        trace.append(float(state["c"][0]))
    np.testing.assert_allclose(trace, [1e-2, 1e-1, 0.055, 0.0775, 0.06625], rtol=1e-6)
    assert done == [False] * 4 + [True]
    assert int(state["search"][0]) == 5 and int(state["iteration"][0]) == 0


@pytest.mark.parametrize("iterations", [400, 100])
def test_a_search_that_stalls_ends_early(iterations):
    """An objective that stays is noticed after two of forty iterations, a tenth or the least."""
    attack = CarliniWagner(iterations=iterations)
    state = {"lowest": ops.full((2,), np.inf), "checked": ops.full((2,), np.inf)}
    over = []
    for i in range(41):
        objective = ops.convert_to_tensor([1.0, 1.0 - 0.001 * i])
        state |= {"iteration": ops.full((2,), i, "int32")}
        noted, ended = _search.progress(attack, state, objective)
        state |= noted
        over.append(numpy(ended).tolist())
    assert over == [[False, False]] * 40 + [[True, False]]


@pytest.mark.parametrize(
    "options, message",
    [
        ({"searches": 0}, "searches must be a positive integer"),
        ({"iterations": 1.5}, "iterations must be a positive integer"),
        ({"initial_c": 0.0}, "initial_c must be a positive number"),
        ({"confidence": -1.0}, "confidence must be a finite number >= 0"),
        ({"confidence": "1"}, "confidence must be .* Received: confidence='1'"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        CarliniWagner(**options)
