import numpy as np
import pytest
from keras import ops
from tiny import numpy, tiny_batch, tiny_classifier, tiny_linear, tiny_tanh

from robustzoo.attacks import EAD, CarliniWagner, generate
from robustzoo.attacks.ead import _shrunk
from robustzoo.attacks.run import run

QUICK = {"initial_c": 0.1, "searches": 5, "iterations": 100}


def l1(z, x):
    return np.abs(z - x).sum((1, 2, 3))


def test_shrinkage():
    """z - beta above x + beta, z + beta below x - beta, x between; inside [0, 1]."""
    x = np.array([0.5, 0.5, 0.5, 0.5, 0.95, 0.05], "float32")
    z = np.array([0.7, 0.3, 0.55, 0.46, 1.3, -0.2], "float32")
    shrunk = numpy(_shrunk(z, x, 0.1))
    np.testing.assert_allclose(shrunk, [0.6, 0.4, 0.5, 0.5, 1.0, 0.0], atol=1e-7)


def traced(attack, by_hand, x, y):
    """EAD once more, in double precision: three iterates, and the lead of y before each."""
    z, before, path, leads = x, x, [], []
    for k in range(3):
        logits, slopes = by_hand(z)
        other = np.where(np.arange(3) == y, -np.inf, logits).argmax()
        leads.append(logits[y] - logits[other])
        push = slopes[y] - slopes[other] if leads[-1] + attack.confidence > 0 else 0.0
        ahead = z + k / (k + 3) * (z - before)
        rate = attack.learning_rate * np.sqrt(1 - k / attack.iterations)
        free = ahead - rate * (2 * (ahead - x) + attack.initial_c * push)
        more, less = free - x > attack.beta, free - x < -attack.beta
        high, low = np.minimum(free - attack.beta, 1), np.maximum(free + attack.beta, 0)
        before, z = z, np.select([more, less], [high, low], x)
        path.append(z)
    return path, leads


def test_follows_a_trace_by_hand():
    """Three steps on a curved model; some pixels reach the edge, some stay, some steps are hits.

    Momentum as in the authors' code, k / (k + 3) before step k from 0; the slope is taken at z.
    """
    model, by_hand = tiny_tanh()
    flat = np.random.default_rng(11).uniform(size=(8, 12)).astype("float32")
    x = ops.convert_to_tensor(flat.reshape(8, 2, 2, 3))
    y = ops.cast(ops.argmax(model(x), axis=1), "int32")
    attack = EAD(beta=0.05, confidence=1.0, iterations=6, learning_rate=0.2, initial_c=2.0)
    state, states = attack.begin(model, x, y, 0, 0), []
    for _ in range(3):
        state = attack.step(model, state, x, y)
        states.append(numpy(state["z"]).reshape(8, 12))
    rows = zip(flat.astype("float64"), numpy(y), strict=True)
    paths, leads = zip(*(traced(attack, by_hand, *row) for row in rows), strict=True)
    np.testing.assert_allclose(states, np.moveaxis(paths, 0, 1), rtol=1e-4, atol=1e-6)
    assert (states[2] == flat).any() and ((states[2] == 0) | (states[2] == 1)).any()
    assert 0 < np.mean(np.array(leads)[:, 1:] < -attack.confidence) < 1


@pytest.mark.parametrize("net", ["linear", "convolutional"])
def test_changes_less_in_l1_than_carlini_wagner(net):
    x, _ = tiny_batch(16)
    model = tiny_linear() if net == "linear" else tiny_classifier()
    y = numpy(model(x)).argmax(1).astype("int32")
    sparse = generate(EAD(rule="l1", **QUICK), model, x, y)
    dense = generate(CarliniWagner(**QUICK), model, x, y)
    for z in (sparse, dense):
        assert (numpy(model(z)).argmax(1) != y).all()
    assert (l1(sparse, x) <= l1(dense, x)).all()


def test_the_rule_chooses_what_is_best():
    """Both rules see the same iterates, so each wins by its own measure."""
    x, _ = tiny_batch(16)
    model = tiny_linear(4)
    y = numpy(model(x)).argmax(1).astype("int32")
    by_l1, by_en = (generate(EAD(rule=rule, **QUICK), model, x, y) for rule in ("l1", "en"))

    def elastic(z):
        return 0.01 * l1(z, x) + ((z - x) ** 2).sum((1, 2, 3))

    assert (l1(by_l1, x) <= l1(by_en, x) + 1e-5).all()
    assert (elastic(by_en) <= elastic(by_l1) + 1e-5).all()
    assert l1(by_l1, x).sum() < l1(by_en, x).sum()


def test_confidence_holds_for_every_success():
    x, _ = tiny_batch(16)
    model = tiny_linear()
    y = numpy(model(x)).argmax(1).astype("int32")
    outcome = run(EAD(confidence=0.5, **QUICK), model, x, y)
    logits = numpy(model(outcome.images))
    lead = logits[np.arange(16), 1 - y] - logits[np.arange(16), y]
    assert outcome.success.all() and lead.min() >= 0.5 - 1e-5


def test_targeted_reaches_the_target():
    x, y = tiny_batch(8)
    model, target = tiny_linear(4), (y + 1) % 4
    outcome = run(EAD(targeted=True, **QUICK), model, x, target)
    assert outcome.success.all()
    np.testing.assert_array_equal(numpy(model(outcome.images)).argmax(1), target)


def test_a_failure_is_the_clean_image():
    x, _ = tiny_batch(8)
    model = tiny_linear()
    model.layers[-1].kernel.assign(np.zeros(model.layers[-1].kernel.shape))
    model.layers[-1].bias.assign([1.0, 0.0])
    outcome = run(EAD(searches=2, iterations=5), model, x, np.zeros(8, "int32"))
    assert not outcome.success.any()
    np.testing.assert_array_equal(outcome.images, x)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"rule": "l2"}, "rule must be one of"),
        ({"beta": -0.1}, "beta must be a finite number >= 0"),
        ({"beta": None}, "beta must be .* Received: beta=None"),
        ({"confidence": "1"}, "confidence must be .* Received: confidence='1'"),
        ({"draws": 0}, "draws must be a positive integer"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        EAD(**options)
