"""The fused layer trains as Keras' own does."""

import keras
import numpy as np
import pytest
from keras import ops

from robustzoo.backend import frozen, input_gradient
from robustzoo.layers import FusedBatchNormalization

OPTIONS = {"momentum": 0.9, "epsilon": 1e-5}


def trained(layer, x):
    """Outputs, gradient of their weighted sum and moving moments after one call in training."""
    layer.build(x.shape)
    generator = np.random.default_rng(1)
    layer.set_weights([generator.uniform(0.5, 2, w.shape) for w in layer.get_weights()])
    weights = generator.normal(size=x.shape).astype("float32")

    def values(images):
        with frozen():
            y = layer(images, training=True)
        return ops.sum(ops.reshape(ops.multiply(y, weights), (len(x), -1)), axis=1), y

    _, y, gradient = input_gradient(values, ops.convert_to_tensor(x))
    layer(x, training=True)
    return [ops.convert_to_numpy(a) for a in (y, gradient, *layer.get_weights())]


@pytest.mark.parametrize("shape", [(3, 4, 5, 2), (1, 1, 1, 2), (6, 2)])
def test_trains_as_the_layer_of_keras(shape):
    x = np.random.default_rng(0).normal(3, 2, shape).astype("float32")
    ours = trained(FusedBatchNormalization(**OPTIONS), x)
    for one, other in zip(
        ours, trained(keras.layers.BatchNormalization(**OPTIONS), x), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", ["uint8", "float64"])
def test_trains_on_what_the_kernel_does_not_take(dtype):
    layer = FusedBatchNormalization(autocast=False)
    y = layer(np.full((2, 3, 3, 1), 7, dtype), training=True)
    assert keras.backend.standardize_dtype(y.dtype) == "float32"


def test_leaves_its_moments_alone_in_inference_and_when_frozen():
    x = np.random.default_rng(0).normal(3, 2, (3, 4, 4, 2)).astype("float32")
    layer = FusedBatchNormalization()
    layer(x, training=False)
    layer.trainable = False
    layer(x, training=True)
    np.testing.assert_array_equal(layer.moving_mean, [0.0, 0.0])


def test_names_what_it_does_not_fuse():
    with pytest.raises(ValueError, match="axis=1"):
        FusedBatchNormalization(axis=1)
