"""A net and images so small that a test can train on them."""

import keras
import numpy as np
from keras import ops


def tiny_classifier(dropout: float = 0.0, seed: int = 0, classes: int = 4) -> keras.Model:
    """Convolution, BatchNorm and a dense head on (8, 8, 3) images."""
    generator = np.random.default_rng(seed)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.Conv2D(8, 3, strides=2, use_bias=False, name="conv"),
            keras.layers.BatchNormalization(momentum=0.9, name="bn"),
            keras.layers.ReLU(name="relu"),
            keras.layers.Dropout(dropout, name="dropout"),
            keras.layers.GlobalAveragePooling2D(name="pool"),
            keras.layers.Dense(classes, name="head"),
        ]
    )
    for weight in model.trainable_weights:
        if weight.name == "kernel":
            weight.assign(generator.normal(size=weight.shape, scale=0.5).astype("float32"))
    return model


def tiny_linear(classes: int = 2) -> keras.Model:
    """Logits W x + b on (8, 8, 3) images."""
    generator = np.random.default_rng(1)
    model = keras.Sequential(
        [keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(classes, name="head")]
    )
    kernel = model.layers[-1].kernel
    kernel.assign(generator.normal(size=kernel.shape, scale=0.1).astype("float32"))
    return model


def tiny_tanh():
    """W' tanh(V' z) on (2, 2, 3) images, and by hand: logits (3,), Jacobian (3, 12) of a flat z."""
    generator = np.random.default_rng(2)
    first, second = (generator.normal(size=shape).astype("float32") for shape in ((12, 8), (8, 3)))

    def model(z):
        return ops.matmul(ops.tanh(ops.matmul(ops.reshape(z, (-1, 12)), first)), second)

    def by_hand(z):
        v, w = first.astype("float64"), second.astype("float64")
        hidden = np.tanh(z @ v)
        return hidden @ w, ((1 - hidden**2)[:, None] * w).T @ v.T

    return model, by_hand


def tiny_batch(count: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """Learnable images (count, 8, 8, 3) well inside [0, 1], and labels 0 .. 3."""
    generator = np.random.default_rng(0)
    y = generator.integers(0, 4, count).astype("int32")
    x = 0.1 + 0.4 * generator.uniform(size=(count, 8, 8, 3)) + 0.12 * y[:, None, None, None]
    return x.astype("float32"), y


def values(model: keras.Model) -> list[np.ndarray]:
    """Copies of every variable, seeds and statistics included."""
    return [numpy(v.value) for v in model.variables]


def numpy(tensor) -> np.ndarray:
    """A copy of a tensor or of a variable."""
    return np.array(keras.ops.convert_to_numpy(tensor))
