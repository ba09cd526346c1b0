import math

import keras
from keras import layers

from robustzoo.architectures._parts import (
    channels_last,
    check_integer,
    convolution,
    dense,
    image_input,
    logits,
    relu_maker,
)


@channels_last()
def wong_resnet(
    input_shape: tuple[int, int, int] = (32, 32, 3),
    classes: int = 10,
    mean: tuple[float, ...] | None = None,
    std: tuple[float, ...] | None = None,
    filters: int = 16,
    units: int = 1000,
    stem_strides: int = 1,
    blocks: tuple[tuple[int, int], ...] = ((1, 1), (1, 1), (2, 2), (4, 2)),
    batch_norm: bool = False,
) -> keras.Model:
    """The residual network of Wong et al. (2018, arXiv:1805.12514): 4,214,850 weights on CIFAR-10.

    A convolution of 16 filters, residual units of 16, 16, 32 and 64 filters without BatchNorm, each
    with a convolution on its shortcut, then 1000 units; ReLU between.

    Args:
        input_shape: (H, W, C) of images in [0, 1], sides of at least all strides together.
        mean, std: per channel, subtracted and divided by inside the model.
        filters: of the first convolution.
        units: of the dense layer.
        stem_strides: of the first convolution: 1 as published; 2, of 4x4, for a quarter of the
            arithmetic.
        blocks: of each residual unit, its filters as a multiple of `filters` and its strides.
        batch_norm: before every ReLU, without which intervals of this depth hardly learn (Shi et
            al., 2021, arXiv:2103.17268).
    """
    check_integer("filters", filters, 1, 1024)
    check_integer("units", units, 1, 4096)
    check_integer("stem_strides", stem_strides, 1, 2)
    _check_blocks(blocks, filters)
    smallest = math.prod((stem_strides, *(strides for _, strides in blocks)))
    inputs, x = image_input(input_shape, mean, std, smallest)
    bent = relu_maker(batch_norm)
    x = bent(convolution(x, filters, 2 + stem_strides, "conv1", stem_strides), "conv1")
    for i, (width, strides) in enumerate(blocks, 1):
        x = _unit(x, width * filters, strides, f"block{i}", bent)
    x = layers.Flatten(name="flatten")(x)
    x = bent(dense(x, units, "dense1"), "dense1")
    return keras.Model(inputs, logits(x, classes), name="wong_resnet")


def _check_blocks(blocks, filters):
    if not isinstance(blocks, tuple | list) or not 1 <= len(blocks) <= 8:
        raise ValueError(f"blocks must be 1 to 8 pairs. Received: {blocks!r:.100}")
    for pair in blocks:
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise ValueError(f"each of blocks must be a pair. Received: {pair!r:.100}")
        check_integer("the multiple of a block", pair[0], 1, 1024)
        check_integer("filters times the multiple of a block", filters * pair[0], 1, 1024)
        check_integer("the strides of a block", pair[1], 1, 2)


def _unit(x, filters, strides, name, bent):
    first, skip = (3, 1) if strides == 1 else (4, 2)
    y = convolution(x, filters, first, f"{name}_conv1", strides)
    y = convolution(bent(y, f"{name}_conv1"), filters, 3, f"{name}_conv2")
    shortcut = convolution(x, filters, skip, f"{name}_shortcut", strides)
    return bent(layers.Add(name=f"{name}_add")([shortcut, y]), name)
