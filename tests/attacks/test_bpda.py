import keras
import numpy as np
import pytest
from keras import ops
from tiny import numpy, tiny_batch, tiny_classifier, tiny_linear, values

from robustzoo.attacks import PGD, DeepFool, bpda, generate, run
from robustzoo.backend import input_gradient
from robustzoo.threats import Linf


def quantised(x):
    """8 levels."""
    return ops.round(x * 7.0) / 7.0


def predicted(model, x):
    return numpy(model(x)).argmax(1).astype("int32")


def naive(model):
    images = keras.Input(model.input_shape[1:])
    return keras.Model(images, model(quantised(images)))


def test_breaks_a_quantised_input_that_stops_pgd():
    model, (x, _) = tiny_linear(4), tiny_batch()
    masked, open_ = naive(model), bpda(model, quantised)
    y = predicted(masked, x)
    attack = PGD(Linf(0.15), 0.03, steps=10, start="clean")
    np.testing.assert_array_equal(generate(attack, masked, x, y), x)
    z = generate(attack, open_, x, y)
    assert (predicted(masked, z) != y).mean() > 0.9
    assert (
        run(DeepFool(steps=20), open_, x, y).success.mean()
        > run(DeepFool(steps=20), masked, x, y).success.mean()
    )


def test_outputs_are_those_of_the_true_pipeline_bit_by_bit():
    model, (x, _) = tiny_classifier(), tiny_batch()
    np.testing.assert_array_equal(
        numpy(bpda(model, quantised, lambda x: 0.3 * x)(x)), numpy(model(quantised(x)))
    )


def test_gradient_is_that_of_the_substitute_at_the_transformed_image():
    """Logits z^2 w at z = q(x), s(x) = 3 x: the gradient is 2 z w 3."""
    images = keras.Input((2, 2, 1))
    model = keras.Model(images, keras.layers.Flatten()(images) ** 2)
    x = ops.convert_to_tensor(np.linspace(0.1, 0.9, 4, dtype="float32").reshape(1, 2, 2, 1))
    for substitute, slope in ((None, 1.0), (lambda x: 3.0 * x, 3.0)):
        wrapped = bpda(model, quantised, substitute)
        _, _, gradient = input_gradient(lambda x, w=wrapped: (ops.sum(w(x), -1), ()), x)
        np.testing.assert_allclose(numpy(gradient), 2 * slope * numpy(quantised(x)), rtol=1e-5)


def test_a_transform_may_change_the_shape():
    model = tiny_linear()

    def smaller(x):
        return ops.round(x[:, ::2, ::2] * 7.0) / 7.0

    def substitute(x):
        return ops.reshape(x, (-1, 8, 2, 8, 2, 3))[:, :, 0, :, 0]

    wrapped = bpda(model, smaller, substitute, input_shape=(16, 16, 3))
    assert wrapped.input_shape == (None, 16, 16, 3) and wrapped.output_shape == (None, 2)
    x = np.random.default_rng(0).uniform(0.2, 0.8, (8, 16, 16, 3)).astype("float32")
    y = predicted(wrapped, x)
    z = generate(PGD(Linf(0.2), 0.05, steps=8), wrapped, x, y)
    assert (predicted(wrapped, z) != y).mean() > 0.9
    with pytest.raises(ValueError, match="must return the same shape"):
        bpda(model, smaller, input_shape=(16, 16, 3))


def test_shares_the_model_and_leaves_it_alone():
    model, (x, y) = tiny_classifier(dropout=0.3), tiny_batch(8)
    before = values(model)
    wrapped = bpda(model, quantised)
    assert all(a is b for a, b in zip(wrapped.variables, model.variables, strict=True))
    generate(PGD(Linf(0.1), 0.02, steps=3), wrapped, x, y)
    for old, new in zip(before, values(model), strict=True):
        np.testing.assert_array_equal(old, new)


def test_noise_of_a_random_transform_is_the_attacks():
    """A layer that draws: EOT sees fresh noise in each gradient."""

    class Noisy(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.seeds = keras.random.SeedGenerator(0)

        def call(self, x):
            scale = keras.random.uniform(ops.shape(x), -1.0, 3.0, seed=self.seeds)
            return quantised(x * scale)

    model, (x, y) = tiny_linear(4), tiny_batch(8)
    wrapped = bpda(model, Noisy())
    once, often = (
        generate(PGD(Linf(0.05), 0.02, steps=3, draws=draws, start="clean"), wrapped, x, y)
        for draws in (1, 4)
    )
    assert np.abs(once - often).max() > 0
