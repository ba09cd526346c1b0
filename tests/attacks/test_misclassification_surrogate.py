import keras
import numpy as np
import pytest
from tiny import numpy, tiny_batch, tiny_classifier, tiny_linear

from robustzoo.attacks import MisclassificationSurrogate, generate
from robustzoo.backend import input_gradient
from robustzoo.threats import L1, L2, Linf

THREATS = [Linf(0.02), L2(0.1), L1(0.1)]
each_threat = pytest.mark.parametrize("threat", THREATS, ids=lambda t: type(t).__name__)


def inner_batch(count=12):
    """Images so far from 0 and 1 that the box does not matter."""
    return tiny_batch(count)[0] * 0.4 + 0.3


def unit(threat, direction):
    """The steepest step of length 1 along `direction` (B, H, W, C)."""
    return numpy(threat.steepest(keras.ops.convert_to_tensor(direction, "float32")))


def softmax_jacobian(model, x, classes=4):
    """Probabilities (B, L) and their gradients (B, L, H, W, C), one class after the other."""
    rows = []
    for k in range(classes):

        def p(z, k=k):
            return keras.ops.softmax(model(z))[:, k], ()

        rows.append(numpy(input_gradient(p, keras.ops.convert_to_tensor(x))[2]))
    return numpy(keras.ops.softmax(model(x))), np.stack(rows, axis=1)


@each_threat
def test_nearest_rival_by_a_numerical_search(threat):
    """Of all classes and 500 random unit directions, none meets a linearised tie earlier."""
    x, model = inner_batch(), tiny_classifier()
    p, slopes = softmax_jacobian(model, x)
    y = p.argmax(1).astype("int32")
    step = generate(MisclassificationSurrogate(threat), model, x, y) - x
    np.testing.assert_allclose(numpy(threat.distance(x + step, x)), threat.eps, rtol=1e-3)
    rows = np.arange(len(x))
    gaps = p[rows, y][:, None] - p  # (B, L)
    v = slopes - slopes[rows, y][:, None]

    def tie(direction):
        """Least r at which r `direction` (B, H, W, C) of unit length makes some class tie."""
        rise = (v * direction[:, None]).sum((2, 3, 4))
        with np.errstate(divide="ignore", invalid="ignore"):
            r = np.where(rise > 0, gaps / rise, np.inf)
        r[rows, y] = np.inf
        return r.min(1)

    ours = tie(step / threat.eps)
    size = np.abs(v).reshape(*gaps.shape, -1)
    dual = {Linf: size.sum(-1), L2: np.sqrt((size**2).sum(-1)), L1: size.max(-1)}[type(threat)]
    with np.errstate(invalid="ignore"):
        exact = np.nanmin(gaps / dual, axis=1)  # 0 / 0 at y
    np.testing.assert_allclose(ours, exact, rtol=2e-3)
    generator = np.random.default_rng(0)
    for _ in range(500):
        other = unit(threat, generator.normal(size=x.shape))
        assert (tie(other) > ours * 0.999).all()


@each_threat
def test_two_classes_of_a_linear_model_move_along_their_weights(threat):
    x, model = inner_batch(), tiny_linear(2)
    y = numpy(model(x)).argmax(1).astype("int32")
    kernel = numpy(model.layers[-1].kernel)
    w = (kernel[:, 1] - kernel[:, 0]).reshape(1, 8, 8, 3)
    away = w * np.where(y, -1.0, 1.0)[:, None, None, None]
    expected = x + threat.eps * unit(threat, away)
    z = generate(MisclassificationSurrogate(threat), model, x, y)
    np.testing.assert_allclose(z, expected, atol=1e-4)


def test_a_sure_model_still_has_a_direction():
    """With logits 300 apart the softmax has no gradient left in float32; v_j has."""
    x, model = inner_batch(), tiny_linear(4)
    y = np.zeros(len(x), "int32")
    model.layers[-1].bias.assign([300.0, 0.0, 0.0, 0.0])
    p, slopes = softmax_jacobian(model, x)
    assert p[:, 0].min() == 1 and np.abs(slopes).max() < 1e-6
    step = generate(MisclassificationSurrogate(L2(0.1)), model, x, y) - x
    gain = numpy(model(x + step) - model(x))
    assert ((gain[:, 1:].max(1) - gain[:, 0]) > 0).all()
    np.testing.assert_allclose(np.sqrt((step**2).sum((1, 2, 3))), 0.1, rtol=1e-3)


def test_misclassified_images_go_on_to_a_class_that_is_ahead():
    x, model = inner_batch(), tiny_linear(4)
    logits = numpy(model(x))
    y = logits.argmin(1).astype("int32")
    z = generate(MisclassificationSurrogate(Linf(0.05)), model, x, y)
    rows = np.arange(len(x))
    before = (logits - logits[rows, y][:, None]).max(1)
    after = numpy(model(z))
    assert ((after - after[rows, y][:, None]).max(1) > before).all()


def test_fewer_classes_than_all_and_bad_ones():
    x, model = inner_batch(), tiny_classifier()
    y = numpy(model(x)).argmax(1).astype("int32")
    attack = MisclassificationSurrogate(Linf(0.02), classes=2)
    z = generate(attack, model, x, y)
    assert np.abs(z - x).max() == pytest.approx(0.02, rel=1e-3) and attack.gradients == 1
    with pytest.raises(ValueError, match="classes must be an integer"):
        MisclassificationSurrogate(Linf(0.02), classes=1)
