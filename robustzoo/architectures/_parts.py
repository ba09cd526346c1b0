"""What the architectures share: input, convolution, normalisation, logits, checks of arguments.

Every layer has an explicit name, so that `variable.path` does not depend on what else was built
in the process.
"""

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence

import keras
from keras import initializers, layers

from robustzoo.layers import FusedBatchNormalization

CIFAR10_MEAN = (0.4914, 0.4822, 0.4465)
CIFAR10_STD = (0.2471, 0.2435, 0.2616)

# Bounds on what a config from the outside may ask for, before memory is taken for it.
MAX_SIDE, MAX_CHANNELS, MAX_CLASSES = 256, 16, 1000
MAX_WEIGHTS = 256 * 2**20 // 4  # float32 in a model folder


@contextlib.contextmanager
def channels_last() -> Iterator[None]:
    """Layers made here take images (B, H, W, C), whatever `keras.config` says; as a decorator, too.

    A layer keeps the format that it was made with, so the model may be used outside.
    """
    before = keras.config.image_data_format()
    keras.config.set_image_data_format("channels_last")
    try:
        yield
    finally:
        keras.config.set_image_data_format(before)


def image_input(input_shape: Sequence[int], mean, std, smallest: int = 1):
    """Returns the input (B, H, W, C) in [0, 1] and the same as (x - mean) / std.

    Without `mean` and `std` there is no normalisation layer. Raises ValueError for sides outside
    `smallest` .. MAX_SIDE, and for a mean or std that has not one finite number per channel.
    """
    height, width, channels = _check_shape(input_shape, smallest)
    inputs = keras.Input((height, width, channels), name="images")
    if mean is None and std is None:
        return inputs, inputs
    mean, std = _check_moments("mean", mean, channels), _check_moments("std", std, channels)
    if min(std) <= 0:
        raise ValueError(f"std must be positive. Received: {std}")
    # Of shape (1, 1, C): for that alone Keras never takes another axis for the channels.
    scale = [[[1 / s for s in std]]]
    offset = [-m / s for m, s in zip(mean, std, strict=True)]
    return inputs, layers.Rescaling(scale, offset, name="normalization")(inputs)


def logits(x, classes: int, name: str = "logits", **options):
    """A last Dense layer (B, classes), in float32 under every dtype policy."""
    check_integer("classes", classes, 2, MAX_CLASSES)
    return dense(x, classes, name, dtype="float32", **options)


def dense(x, units: int, name: str, activation: str | None = None, **options):
    """A Dense layer of at most MAX_WEIGHTS weights; ValueError otherwise."""
    if x.shape[-1] * units > MAX_WEIGHTS:
        raise ValueError(
            f"{name} would have {x.shape[-1]} x {units} weights, more than {MAX_WEIGHTS}, the most "
            "that a model folder holds; make the images or the layer smaller"
        )
    return layers.Dense(units, activation, name=name, **options)(x)


def convolution(x, filters: int, size: int, name: str, strides: int = 1, **options):
    """A convolution padded by `(size - 1) // 2` on every side, as in PyTorch.

    With strides, "same" would pad by one row and column at the bottom and right alone, and with
    that see other pixels than the networks of the papers; so the padding is a layer of its own.
    """
    if strides == 1 and size % 2:
        return layers.Conv2D(filters, size, padding="same", name=name, **options)(x)
    margin = (size - 1) // 2
    if margin:
        x = layers.ZeroPadding2D(margin, name=f"{name}_pad")(x)
    return layers.Conv2D(filters, size, strides, name=name, **options)(x)


def residual_convolution(x, filters: int, size: int, name: str, strides: int = 1):
    """A convolution without bias, weights N(0, 2 / (size^2 filters)) (He et al., 1502.01852)."""
    normal = initializers.VarianceScaling(2.0, mode="fan_out", distribution="untruncated_normal")
    return convolution(x, filters, size, name, strides, use_bias=False, kernel_initializer=normal)


def batch_norm(x, name: str):
    """BatchNorm as in PyTorch: momentum 0.1 there is 0.9 here, eps 1e-5."""
    return FusedBatchNormalization(momentum=0.9, epsilon=1e-5, name=name)(x)


def norm_relu(x, name: str):
    """BatchNorm, then ReLU."""
    return layers.ReLU(name=f"{name}_relu")(batch_norm(x, name))


def relu_maker(batch_norm: bool) -> Callable:
    """(x, name) -> ReLU of x, behind BatchNorm if `batch_norm`; ValueError if no truth value."""
    if type(batch_norm) is not bool:
        raise ValueError(f"batch_norm must be true or false. Received: {batch_norm!r:.100}")

    def bent(x, name):
        return norm_relu(x, f"{name}_norm") if batch_norm else layers.ReLU(name=f"{name}_relu")(x)

    return bent


def basic_block(x, filters: int, strides: int, name: str):
    """Pre-activation unit of two 3x3 convolutions (He et al., 2016, arXiv:1603.05027).

    Where the shape changes, the shortcut is a 1x1 convolution of the pre-activated tensor.
    """
    active = norm_relu(x, f"{name}_norm1")
    shortcut = x
    if strides != 1 or x.shape[-1] != filters:
        shortcut = residual_convolution(active, filters, 1, f"{name}_shortcut", strides)
    y = residual_convolution(active, filters, 3, f"{name}_conv1", strides)
    y = residual_convolution(norm_relu(y, f"{name}_norm2"), filters, 3, f"{name}_conv2")
    return layers.Add(name=f"{name}_add")([shortcut, y])


def stages(x, unit: Callable, widths: Sequence[int], blocks: int):
    """`blocks` units per width; the first of every stage but the first halves the resolution.

    Args:
        unit: (x, filters, strides, name) -> tensor, such as `basic_block`.
    """
    for stage, filters in enumerate(widths, 1):
        for block in range(1, blocks + 1):
            strides = 2 if stage > 1 and block == 1 else 1
            x = unit(x, filters, strides, f"stage{stage}_block{block}")
    return x


def pooled_model(name: str, inputs, x, classes: int) -> keras.Model:
    """Global average pooling and a Dense layer on top of `x`."""
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, logits(x, classes), name=name)


def check_integer(name: str, value: int, low: int, high: int) -> int:
    """Returns `value` if it is an integer in low .. high; ValueError otherwise."""
    if type(value) is not int or not low <= value <= high:
        raise ValueError(f"{name} must be an integer in {low} .. {high}. Received: {value!r:.100}")
    return value


def check_depth(depth: int, multiple: int, offset: int, high: int) -> int:
    """Returns n of depth = multiple n + offset, at least 1; ValueError naming the closest depth."""
    check_integer("depth", depth, multiple + offset, high)
    blocks = (depth - offset) / multiple
    if blocks != int(blocks):
        closest = multiple * max(1, math.floor(blocks + 0.5)) + offset
        raise ValueError(
            f"depth must be {multiple}n + {offset}. Received: {depth}; closest: {closest}"
        )
    return int(blocks)


def _check_shape(shape, smallest):
    valid = f"input_shape must be (height, width, channels) with sides in {smallest} .. {MAX_SIDE}"
    good = isinstance(shape, (tuple, list)) and len(shape) == 3
    good = good and all(type(n) is int and smallest <= n <= MAX_SIDE for n in shape[:2])
    if not good or type(shape[2]) is not int or not 1 <= shape[2] <= MAX_CHANNELS:
        raise ValueError(f"{valid}, channels in 1 .. {MAX_CHANNELS}. Received: {shape!r:.100}")
    return shape


def _check_moments(name, values, channels):
    good = isinstance(values, (tuple, list)) and len(values) == channels
    if not good or not all(type(v) in (int, float) and math.isfinite(v) for v in values):
        raise ValueError(
            f"{name} must be {channels} finite numbers, one per channel, or mean and std None. "
            f"Received: {values!r:.100}"
        )
    return values
