"""Nets of every supported layer, so small that bounds and samples of them cost nothing."""

import keras
import numpy as np
from keras import layers

from robustzoo.layers import CenterLogits, ReverseLogits, Temperature

SHAPE, CLASSES = (6, 5, 2), 3
# Images of which all corners can be tried, and yet as large as each net below needs them.
TINY = dict.fromkeys(("chain", "residual", "branches", "normalised", "nested"), (3, 4, 1))
TINY |= {"pools": (6, 2, 1), "smooth": (5, 3, 1)}


def randomised(model: keras.Model, seed: int = 0) -> keras.Model:
    """`model` with every weight and statistic drawn anew, variances around 1."""
    generator = np.random.default_rng(seed)
    for weight in model.weights:
        if weight.dtype != "float32":
            continue
        size = 0.5 * generator.normal(size=weight.shape)
        weight.assign(np.abs(size) + 0.5 if "variance" in weight.path else size)
    return model


def chain(shape=SHAPE) -> keras.Model:
    """Strided convolution with "same" padding, which is uneven here, and Dense layers."""
    return _sequential(
        shape,
        layers.Conv2D(3, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2D(2, 2, activation="relu"),
        layers.Flatten(),
        layers.Dense(5, activation="relu"),
    )


def residual(shape=SHAPE) -> keras.Model:
    """A skip connection over two convolutions, the second without bias."""
    inputs = keras.Input(shape)
    x = layers.Conv2D(3, 3, strides=2, padding="same", activation="relu")(inputs)
    y = layers.Conv2D(3, 3, padding="same", activation="relu")(x)
    y = layers.Conv2D(3, 3, padding="same", use_bias=False)(y)
    x = layers.ReLU()(layers.Add()([x, y]))
    return _model(inputs, layers.Flatten()(x))


def branches(shape=SHAPE) -> keras.Model:
    """Two convolutions of the images, one of them normalised and as it is, with ReLUs, added."""
    inputs = keras.Input(shape)
    x, y = (layers.Conv2D(2, 3, strides=2)(inputs) for _ in range(2))
    bent = [layers.ReLU()(z) for z in (x, y, layers.BatchNormalization()(x))]
    return _model(inputs, layers.Flatten()(layers.Add()(bent)))


def normalised(shape=SHAPE) -> keras.Model:
    """Rescaling, BatchNormalization behind and before convolutions, LeakyReLU, average pooling."""
    return _sequential(
        shape,
        layers.Rescaling([2.0, 3.0][: shape[2]], [-1.0, 0.5][: shape[2]]),
        layers.ZeroPadding2D(((1, 0), (0, 1))),
        layers.Conv2D(3, 3, use_bias=False),
        layers.BatchNormalization(),
        layers.LeakyReLU(negative_slope=0.1),
        layers.BatchNormalization(),
        layers.AveragePooling2D(2, strides=1, padding="same"),
        layers.Dropout(0.5),
        layers.Conv2D(4, 2, activation="relu"),
        layers.GlobalAveragePooling2D(),
    )


def pools(shape=SHAPE) -> keras.Model:
    """Max pooling with padding, and a depthwise convolution."""
    return _sequential(
        shape,
        layers.Conv2D(3, 2, activation="relu"),
        layers.MaxPooling2D(2, padding="same"),
        layers.DepthwiseConv2D((2, min(2, shape[1] // 2)), depth_multiplier=2, activation="relu"),
        layers.MaxPooling2D(2, strides=1, padding="same"),
        layers.AveragePooling2D((2, 1)),
        layers.Flatten(),
    )


def smooth(shape=SHAPE) -> keras.Model:
    """tanh and sigmoid, joined along the channels."""
    inputs = keras.Input(shape)
    x = layers.Conv2D(3, 3, strides=2, activation="tanh")(inputs)
    y = layers.Conv2D(2, (2, 1), activation="sigmoid")(x)
    y = layers.ZeroPadding2D(((0, 1), (0, 0)))(y)
    return _model(inputs, layers.Flatten()(layers.Concatenate()([x, y])))


def nested(shape=SHAPE) -> keras.Model:
    """One layer called twice, a Sequential within, a Reshape, and the heads of the zoo."""
    inner = keras.Sequential([keras.Input(shape), layers.Conv2D(2, 3, activation="relu")])
    inputs = keras.Input(shape)
    x = layers.Reshape((-1, 2))(inner(inputs))
    shared = layers.Dense(2, activation="relu")
    x = layers.Concatenate(axis=1)([shared(x), shared(shared(x))])
    x = layers.Dense(4)(layers.Flatten()(x))
    x = Temperature(2.0)(CenterLogits(CLASSES, "random", 2.0)(x))
    return randomised(keras.Model(inputs, ReverseLogits()(x)))


NETS = {
    function.__name__: function
    for function in (chain, residual, branches, normalised, pools, smooth, nested)
}


def images(model: keras.Model, count: int = 3, seed: int = 1):
    """Images (count, H, W, C), some pixels at 0 or 1, and the labels that the model gives them."""
    generator = np.random.default_rng(seed)
    x = generator.uniform(-0.2, 1.2, (count, *model.input_shape[1:])).clip(0, 1).astype("float32")
    return x, logits(model, x).argmax(axis=1)


def logits(model: keras.Model, x) -> np.ndarray:
    return keras.ops.convert_to_numpy(model(x.astype("float32")))


def _sequential(shape, *parts):
    return randomised(keras.Sequential([keras.Input(shape), *parts, layers.Dense(CLASSES)]))


def _model(inputs, x):
    return randomised(keras.Model(inputs, layers.Dense(CLASSES)(x)))
