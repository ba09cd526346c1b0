"""From a Keras layer to operations."""

import math

import numpy as np
from keras import activations, backend, layers

from robustzoo.certification.operations import (
    Average,
    Concatenate,
    Convolution,
    Dense,
    Depthwise,
    MaxPool,
    Pad,
    ReLU,
    Reshape,
    Scale,
    Sum,
    Tanh,
)
from robustzoo.closest import closest
from robustzoo.layers import CenterLogits, FusedBatchNormalization, ReverseLogits, Temperature

DTYPES = ("float32", "float64")  # what bounds in float64 are those of, up to the tolerance


def convert(name, layer, inputs, output) -> list:
    """The operations of `layer`, one after the other; none where it is the identity.

    Args:
        inputs, output: shapes without the batch.
    """
    for kind, converter in CONVERTERS.items():
        if type(layer) is kind:
            _check_dtype(name, layer)
            return converter(_Call(name, layer, inputs, output))
    kind, close = type(layer).__name__, closest(type(layer).__name__, SUPPORTED)
    if not isinstance(layer, layers.Layer):
        kind += " of keras.ops, which is no layer"
    raise ValueError(
        f"no bounds are known of {name!r}, a {kind}; there are those of the layers "
        f"{', '.join(SUPPORTED)}; closest: {close}"
    )


def _check_dtype(name, layer):
    if layer.compute_dtype not in DTYPES:
        raise ValueError(
            f"bounds are of layers that compute in {' or '.join(DTYPES)}. Received: {name!r}, "
            f"which does in {layer.compute_dtype}; load or build the model with dtype='float32'"
        )


class _Call:
    """A layer, the shapes it is called with, and how to refuse an option of it."""

    def __init__(self, name, layer, inputs, output):
        self.name, self.layer, self.inputs, self.output = name, layer, inputs, output

    def require(self, option, *valid):
        value = getattr(self.layer, option)
        value = tuple(value) if isinstance(value, list) else value
        if value not in valid:
            raise ValueError(
                f"no bounds are known of {self.name!r}, a {type(self.layer).__name__} with "
                f"{option}={value!r}; valid: {', '.join(map(repr, valid))}"
            )


def _activation(call, function, shape):
    """Operations of an activation function, as `Dense(activation=...)` has one."""
    if function is activations.linear or function is None:
        return []
    if function is activations.relu:
        return [ReLU(shape)]
    if function is activations.leaky_relu:
        return [ReLU(shape, 0.2)]  # Keras' default of the function
    if function is activations.tanh:
        return [Tanh(shape)]
    if function is activations.sigmoid:
        return [_scale(shape, 0.5), Tanh(shape), _scale(shape, 0.5, 0.5)]
    given = getattr(function, "__name__", function)
    raise ValueError(
        f"no bounds are known of the activation {given!r} of {call.name!r}; valid: linear, relu, "
        "leaky_relu, sigmoid, tanh"
    )


def _scale(shape, factor, offset=0.0):
    scalar = np.ndim(factor) == 0 and np.ndim(offset) == 0 and offset == 0
    return Scale(lambda xp: (xp.read(factor), xp.read(offset)), shape, scalar)


def _dense(call):
    call.require("quantization_mode", None)
    operation = Dense(_parameters(call.layer), call.output)
    return [operation, *_activation(call, call.layer.activation, call.output)]


def _parameters(layer):
    """xp -> kernel, bias of a layer, read when asked for."""
    return lambda xp: (xp.read(layer.kernel), xp.read(layer.bias) if layer.use_bias else None)


def _convolution(call):
    call.require("data_format", "channels_last")
    call.require("dilation_rate", (1, 1))
    call.require("groups", 1)
    layer = call.layer
    pad = _padding(layer.padding, layer.kernel_size, layer.strides, call.inputs[0])
    operation = Convolution(_parameters(layer), tuple(layer.strides), pad, call.output)
    return [operation, *_activation(call, layer.activation, call.output)]


def _depthwise(call):
    call.require("data_format", "channels_last")
    call.require("dilation_rate", (1, 1))
    layer = call.layer
    pad = _padding(layer.padding, layer.kernel_size, layer.strides, call.inputs[0])
    operation = Depthwise(_parameters(layer), tuple(layer.strides), pad, call.output)
    return [operation, *_activation(call, layer.activation, call.output)]


def _padding(padding, size, strides, shape):
    """Keras' "same" puts the odd row and column at the bottom and right."""
    margins = []
    for length, window, stride in zip(shape[:2], size, strides, strict=True):
        total = max((math.ceil(length / stride) - 1) * stride + window - length, 0)
        total = total if padding == "same" else 0
        margins.append((total // 2, total - total // 2))
    sides = [length + sum(margin) for length, margin in zip(shape[:2], margins, strict=True)]
    return Pad(tuple(margins), (*sides, shape[2]))


def _average_pooling(call):
    call.require("data_format", "channels_last")
    layer, channels = call.layer, call.inputs[0][-1]
    pad = _padding(layer.padding, layer.pool_size, layer.strides, call.inputs[0])
    uneven = any(first != last for first, last in pad.margins)
    if backend.backend() == "torch" and uneven and max(layer.pool_size) > 2:
        call.require("padding", "valid")  # Keras on torch repeats the border there
    shape = (*layer.pool_size, channels, 1)
    inside = np.pad(np.ones(call.inputs[0][:2]), pad.margins)
    windows = np.lib.stride_tricks.sliding_window_view(inside, tuple(layer.pool_size))
    counts = windows[:: layer.strides[0], :: layer.strides[1]].sum((2, 3))[..., None]

    def ones(xp):
        return xp.ones(shape, xp.dtype), None

    return [Depthwise(ones, tuple(layer.strides), pad, call.output, counts)]


def _global_average_pooling(call):
    call.require("data_format", "channels_last")
    return [Average(call.inputs[0], call.output)]


def _max_pooling(call):
    call.require("data_format", "channels_last")
    layer = call.layer
    pad = _padding(layer.padding, layer.pool_size, layer.strides, call.inputs[0])
    return [MaxPool(tuple(layer.pool_size), tuple(layer.strides), pad, call.output)]


def _flatten(call):
    call.require("data_format", "channels_last")
    return _reshape(call)


def _reshape(call):
    return [Reshape(call.inputs[0], call.output)]


def _zero_padding(call):
    call.require("data_format", "channels_last")
    return [Pad(tuple(map(tuple, call.layer.padding)), call.output)]


def _batch_normalization(call):
    layer, rank = call.layer, len(call.output)
    call.require("axis", -1, rank)

    def of(xp, mean, variance):
        factor = 1.0 / xp.sqrt(variance + layer.epsilon)
        if layer.scale:
            factor = factor * xp.read(layer.gamma)
        offset = -mean * factor
        return factor, offset + xp.read(layer.beta) if layer.center else offset

    def moments(xp):
        return of(xp, xp.read(layer.moving_mean), xp.read(layer.moving_variance))

    def batch_moments(xp, x):
        if not layer.trainable:  # Keras then keeps to the moving ones in training, too
            return moments(xp)
        axes = tuple(range(len(x.shape) - 1))
        return of(xp, xp.mean(x, axis=axes), xp.var(x, axis=axes))

    return [Scale(moments, call.output, batch_moments=batch_moments)]


def _rescaling(call):
    channels, values = call.output[-1:], []
    for option in ("scale", "offset"):
        value = getattr(call.layer, option)
        shape = np.shape(value)
        if shape not in ((), (1,), channels, (1, 1, *channels)):
            raise ValueError(
                f"no bounds are known of {call.name!r}, a Rescaling with {option} of shape "
                f"{shape}; valid: one number, or one per channel, {channels}"
            )
        values.append(value if shape == () else np.ravel(value))
    return [_scale(call.output, *values)]


def _relu(call):
    call.require("max_value", None)
    call.require("threshold", 0.0)
    return _leaky_relu(call)


def _leaky_relu(call):
    q = float(call.layer.negative_slope)
    if not 0 <= q < 1:
        raise ValueError(
            f"no bounds are known of {call.name!r} with negative_slope={q}; valid: 0 <= slope < 1"
        )
    return [ReLU(call.output, q)]


def _activation_layer(call):
    return _activation(call, call.layer.activation, call.output)


def _add(call):
    if any(shape != call.output for shape in call.inputs):
        raise ValueError(
            f"{call.name!r} adds tensors of different shapes, of which no bounds are known. "
            f"Received: {call.inputs}"
        )
    return [Sum(len(call.inputs), call.output)]


def _concatenate(call):
    call.require("axis", *range(1, len(call.output) + 1), *range(-len(call.output), 0))
    axis = call.layer.axis % (len(call.output) + 1)
    return [Concatenate(axis, tuple(shape[axis - 1] for shape in call.inputs), call.output)]


def _center_logits(call):
    """z mu_l - ||mu_l||^2 / 2: without -||z||^2 / 2, which all classes share."""

    def parameters(xp):
        centers = xp.read(call.layer.centers)
        return xp.transpose(centers), -xp.sum(xp.square(centers), axis=-1) / 2.0

    return [_Centers(parameters, call.output)]


class _Centers(Dense):
    """Logits up to a number that all classes share."""

    shifted = True


def _identity(call):
    return []


CONVERTERS = {
    layers.Activation: _activation_layer,
    layers.Add: _add,
    layers.AveragePooling2D: _average_pooling,
    layers.BatchNormalization: _batch_normalization,
    layers.Concatenate: _concatenate,
    layers.Conv2D: _convolution,
    layers.Dense: _dense,
    layers.DepthwiseConv2D: _depthwise,
    layers.Dropout: _identity,
    layers.Flatten: _flatten,
    layers.GaussianNoise: _identity,
    layers.GlobalAveragePooling2D: _global_average_pooling,
    layers.LeakyReLU: _leaky_relu,
    layers.MaxPooling2D: _max_pooling,
    layers.ReLU: _relu,
    layers.Rescaling: _rescaling,
    layers.Reshape: _reshape,
    layers.SpatialDropout2D: _identity,
    layers.ZeroPadding2D: _zero_padding,
    CenterLogits: _center_logits,
    FusedBatchNormalization: _batch_normalization,
    ReverseLogits: lambda call: [_scale(call.output, -1.0)],
    Temperature: lambda call: [_scale(call.output, 1.0 / call.layer.temperature)],
}
SUPPORTED = tuple(layer.__name__ for layer in CONVERTERS)
