import keras
import numpy as np
import pytest
from tiny import numpy, tiny_batch, tiny_linear

from robustzoo.attacks import MIM, bim, generate
from robustzoo.threats import L2, Linf


def curved():
    """A linear model so steep that its cross-entropy has different slopes along the way."""
    model = tiny_linear(4)
    model.layers[-1].kernel.assign(numpy(model.layers[-1].kernel) * 10.0)
    return model


def trace(model, x, y, threat, steps, step_size, decay, normalised=True):
    """MIM in NumPy: d CE / dz = W (softmax(z) - onehot(y)) on a linear model."""
    kernel = numpy(model.layers[-1].kernel)
    start = x.reshape(len(x), -1).astype("float64")
    z, g = start, np.zeros_like(start)
    for _ in range(steps):
        logits = z @ kernel
        p = np.exp(logits - logits.max(1, keepdims=True))
        slope = (p / p.sum(1, keepdims=True) - np.eye(4)[y]) @ kernel.T
        size = np.abs(slope).sum(1, keepdims=True) if normalised else 1.0
        g = decay * g + slope / size
        if isinstance(threat, Linf):
            z = start + np.clip(z + step_size * np.sign(g) - start, -threat.eps, threat.eps)
        else:
            delta = z + step_size * g / np.sqrt((g**2).sum(1, keepdims=True)) - start
            length = np.sqrt((delta**2).sum(1, keepdims=True))
            z = start + delta * np.minimum(1, threat.eps / length)
        z = np.clip(z, 0, 1)
    return z.reshape(x.shape)


@pytest.mark.parametrize("threat", [Linf(0.2), L2(1.0)], ids=["linf", "l2"])
@pytest.mark.parametrize("decay", [0.5, 1.0])
def test_follows_a_trace_by_hand(threat, decay):
    x, y = tiny_batch(8)
    model = curved()
    z = generate(MIM(threat, threat.eps / 3, 6, decay), model, x, y)
    by_hand = trace(model, x, y, threat, 6, threat.eps / 3, decay)
    np.testing.assert_allclose(z, by_hand, atol=2e-5)
    unnormalised = trace(model, x, y, threat, 6, threat.eps / 3, decay, normalised=False)
    assert np.abs(z - unnormalised).max() > 1e-3
    assert np.abs(z - generate(bim(threat, threat.eps / 3, 6), model, x, y)).max() > 1e-3


def test_without_decay_it_is_bim():
    x, y = tiny_batch()
    model = curved()
    np.testing.assert_allclose(
        generate(MIM(Linf(0.1), 0.03, decay=0.0), model, x, y),
        generate(bim(Linf(0.1), 0.03), model, x, y),
        atol=1e-6,
    )


def test_in_a_graph_as_image_by_image():
    x, y = tiny_batch(6)
    model, attack = curved(), MIM(Linf(0.1), 0.03, steps=3)
    np.testing.assert_allclose(
        numpy(attack(model, x, keras.ops.convert_to_tensor(y))),
        generate(attack, model, x, y),
        atol=1e-6,
    )


def test_targeted_reaches_the_target():
    x, y = tiny_batch()
    model, target = tiny_linear(4), (y + 1) % 4
    z = generate(MIM(Linf(0.5), 0.1, 20, targeted=True), model, x, target)
    assert (numpy(model(x)).argmax(1) != target).any()
    np.testing.assert_array_equal(numpy(model(z)).argmax(1), target)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"steps": 0}, "steps must be a positive integer"),
        ({"draws": 0}, "draws must be a positive integer"),
        ({"decay": -1.0}, "decay must be a finite number >= 0"),
        ({"decay": "1"}, "decay must be .* Received: decay='1'"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        MIM(Linf(0.1), 0.1, **options)


def test_bad_threat_and_step_size():
    with pytest.raises(ValueError, match="threat must be"):
        MIM(0.1, 0.01)
    with pytest.raises(ValueError, match="Received: step_size=-0.01"):
        MIM(Linf(0.1), -0.01)
