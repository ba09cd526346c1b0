"""What every layer keeps: shapes, its config, a reload from a .keras file, gradients."""

import inspect

import keras
import numpy as np
import pytest
from keras import ops

from robustzoo import layers
from robustzoo.backend import input_gradient
from tests.layers.examples import EXAMPLES

each = pytest.mark.parametrize(
    ("layer", "shape"), EXAMPLES, ids=[type(layer).__name__ for layer, _ in EXAMPLES]
)


def batch(shape, rows=3):
    if isinstance(shape, list):  # of a layer with several inputs
        return [batch(one, rows) for one in shape]
    return np.random.default_rng(0).uniform(size=(rows, *shape)).astype("float32")


def fresh(layer):
    return type(layer).from_config(layer.get_config())


def test_every_layer_has_an_example():
    public = {c for _, c in inspect.getmembers(layers, inspect.isclass)}
    assert {type(layer) for layer, _ in EXAMPLES} == public


@each
def test_says_its_output_shape(layer, shape):
    layer = fresh(layer)
    result = layer(batch(shape))
    shapes = keras.tree.map_structure(lambda array: array.shape, batch(shape))
    assert tuple(layer.compute_output_shape(shapes)) == tuple(result.shape)
    assert np.isfinite(ops.convert_to_numpy(result)).all()


@each
def test_is_the_same_after_a_keras_file(layer, shape, tmp_path):
    inputs = keras.tree.map_structure(lambda array: keras.Input(array.shape[1:]), batch(shape))
    model = keras.Model(inputs, fresh(layer)(inputs))
    assert keras.saving.get_registered_name(type(layer)).startswith("robustzoo>")
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.layers[-1].get_config() == model.layers[-1].get_config()
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_allclose(
        ops.convert_to_numpy(again(batch(shape))),
        ops.convert_to_numpy(model(batch(shape))),
        rtol=1e-6,
    )


@each
def test_passes_the_gradient_on(layer, shape):
    layer = fresh(layer)
    first, *others = keras.tree.flatten(batch(shape))

    def values(x):
        return ops.sum(ops.reshape(layer([x, *others] if others else x) ** 2, (3, -1)), axis=1), ()

    gradient = ops.convert_to_numpy(input_gradient(values, ops.convert_to_tensor(first))[2])
    assert np.isfinite(gradient).all() and np.abs(gradient).max() > 0


@each
def test_takes_a_batch_of_one(layer, shape):
    assert fresh(layer)(batch(shape, 1)).shape[0] == 1
