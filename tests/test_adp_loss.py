"""ADP: entropy, diversity as a volume, the loss by hand, and where the formulas degenerate."""

import keras
import numpy as np
import pytest
from keras import ops

from robustzoo.backend import input_gradient
from robustzoo.losses import ADP, adp, cross_entropy, ensemble_entropy, log_diversity
from tests.tiny import numpy, tiny_batch

Y = np.array([0, 3, 2, 1], "int32")
Z = np.random.default_rng(0).normal(size=(4, 3, 4)).astype("float32")  # three members


def rest(y, logits):
    """The members' probabilities (B, K, L - 1) of the other classes, rows of length one."""
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    p = np.stack([np.delete(p[b], y[b], axis=-1) for b in range(len(y))])
    return p / np.linalg.norm(p, axis=-1, keepdims=True)


def test_diversity_is_the_determinant():
    """In float64, whose rounding is far below the offset; the members agree ever more."""
    for agreement in (0.0, 0.9, 0.999, 1.0):
        z = agreement * Z[:, :1] + (1 - agreement) * Z
        rows = rest(Y, z.astype("float64"))
        determinant = np.linalg.det(rows @ rows.transpose(0, 2, 1) + 1e-6 * np.eye(3))
        found = numpy(log_diversity(Y, z.astype("float32")))
        np.testing.assert_allclose(found, np.log(determinant), atol=0.01)


def test_diversity_is_the_squared_volume():
    """Of a parallelepiped: the product of the singular values."""
    volumes = np.prod(np.linalg.svd(rest(Y, Z), compute_uv=False), axis=-1)
    found = np.exp(numpy(log_diversity(Y, Z, offset=0.0)))
    np.testing.assert_allclose(found, np.square(volumes), rtol=1e-4)


def test_diversity_is_one_for_second_guesses_of_their_own_and_stays_finite():
    certain = np.full((1, 3, 4), -200.0, "float32")  # probabilities that underflow
    certain[:, :, 0] = 0.0
    for k in range(3):
        certain[0, k, k + 1] = -150.0
    assert float(log_diversity(Y[:1], certain)[0]) == pytest.approx(3e-6, abs=1e-6)


def test_entropy_of_the_mean_by_hand():
    p = np.mean(np.exp(Z) / np.exp(Z).sum(-1, keepdims=True), axis=1)
    np.testing.assert_allclose(numpy(ensemble_entropy(Z)), -(p * np.log(p)).sum(1), rtol=1e-5)


def test_loss_by_hand():
    gram = np.einsum("bki,bji->bkj", rest(Y, Z), rest(Y, Z)) + 1e-6 * np.eye(3)
    ce = sum(numpy(cross_entropy(Y, Z[:, k])) for k in range(3))
    expected = ce - 1.5 * numpy(ensemble_entropy(Z)) - 0.25 * np.log(np.linalg.det(gram))
    np.testing.assert_allclose(numpy(adp(Y, Z, 1.5, 0.25)), expected, rtol=1e-3)
    np.testing.assert_allclose(numpy(adp(Y, Z, 0.0, 0.0)), ce, rtol=1e-5)
    even = ce - 1.5 * numpy(ensemble_entropy(Z))
    np.testing.assert_allclose(numpy(adp(Y, Z, 1.5, 0.0)), even, rtol=1e-4, atol=1e-5)


def test_one_member_is_its_cross_entropy_and_entropy():
    alone = Z[:, 0]
    expected = numpy(cross_entropy(Y, alone)) - 2.0 * numpy(ensemble_entropy(alone[:, None]))
    np.testing.assert_allclose(numpy(adp(Y, alone)), expected, atol=1e-5)
    np.testing.assert_allclose(numpy(adp(Y, alone[:, None])), expected, atol=1e-5)


@pytest.mark.parametrize("shape", [(4, 3, 2), (4, 5, 4), (1, 3, 4)])
def test_two_classes_more_members_than_other_classes_and_a_batch_of_one(shape):
    """The volume is 0, the offset keeps its logarithm and gradient finite."""
    z = ops.convert_to_tensor(np.random.default_rng(1).normal(size=shape).astype("float32"))
    y = ops.convert_to_tensor(Y[: shape[0]] % shape[-1])
    losses, _, slopes = input_gradient(lambda z: (adp(y, z), ()), z)
    assert np.isfinite(numpy(losses)).all() and np.isfinite(numpy(slopes)).all()
    if shape[1] > shape[2] - 1:
        assert (numpy(log_diversity(y, z)) < np.log(1e-4)).all()


def test_refuses_weights_that_are_negative_or_no_numbers():
    for options in ({"alpha": -1.0}, {"beta": -1.0}, {"beta": float("nan")}):
        for call in (ADP, lambda **weights: adp(Y, Z, **weights)):
            with pytest.raises(ValueError, match=f"{next(iter(options))} must be a finite number"):
                call(**options)


def test_trains_an_ordinary_model_of_three_members():
    x, y = tiny_batch(64)
    inputs = keras.Input((8, 8, 3))
    flat = keras.layers.Flatten()(inputs)
    start = keras.initializers.RandomNormal(stddev=0.1, seed=1)
    outputs = keras.layers.Dense(12, kernel_initializer=start)(flat)
    outputs = keras.layers.Reshape((3, 4))(outputs)
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(1e-3), loss=ADP(1.0, 0.1))
    history = model.fit(x, y, epochs=10, verbose=0).history["loss"]
    assert history[-1] < history[0]
