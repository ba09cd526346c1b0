import keras
from keras import layers

from robustzoo.architectures._parts import (
    check_integer,
    convolution,
    dense,
    image_input,
    logits,
)


def wong_resnet(
    input_shape: tuple[int, int, int] = (32, 32, 3),
    classes: int = 10,
    mean: tuple[float, ...] | None = None,
    std: tuple[float, ...] | None = None,
    filters: int = 16,
    units: int = 1000,
    stem_strides: int = 1,
) -> keras.Model:
    """The residual network of Wong et al. (2018, arXiv:1805.12514): 4,214,850 weights on CIFAR-10.

    A convolution of 16 filters, residual units of 16, 16, 32 and 64 filters without BatchNorm, each
    with a convolution on its shortcut, then 1000 units; ReLU between.

    Args:
        input_shape: (H, W, C) of images in [0, 1], sides of at least 4 stem_strides.
        mean, std: per channel, subtracted and divided by inside the model.
        filters: of the first convolution and two units; the others have two and four times as many.
        units: of the dense layer.
        stem_strides: of the first convolution: 1 as published; 2, of 4x4, for a quarter of the
            arithmetic.
    """
    check_integer("filters", filters, 1, 1024)
    check_integer("units", units, 1, 4096)
    check_integer("stem_strides", stem_strides, 1, 2)
    inputs, x = image_input(input_shape, mean, std, smallest=4 * stem_strides)
    x = convolution(x, filters, 2 + stem_strides, "conv1", stem_strides, activation="relu")
    for i, (width, strides) in enumerate([(1, 1), (1, 1), (2, 2), (4, 2)], 1):
        x = _unit(x, width * filters, strides, f"block{i}")
    x = layers.Flatten(name="flatten")(x)
    x = dense(x, units, "dense1", "relu")
    return keras.Model(inputs, logits(x, classes), name="wong_resnet")


def _unit(x, filters, strides, name):
    first, skip = (3, 1) if strides == 1 else (4, 2)
    y = convolution(x, filters, first, f"{name}_conv1", strides, activation="relu")
    y = convolution(y, filters, 3, f"{name}_conv2")
    shortcut = convolution(x, filters, skip, f"{name}_shortcut", strides)
    return layers.ReLU(name=f"{name}_relu")(layers.Add(name=f"{name}_add")([shortcut, y]))
