import keras
from keras import layers

from robustzoo.architectures._parts import convolution, dense, image_input, logits


def wong_resnet(
    input_shape: tuple[int, int, int] = (32, 32, 3),
    classes: int = 10,
    mean: tuple[float, ...] | None = None,
    std: tuple[float, ...] | None = None,
) -> keras.Model:
    """The residual network of Wong et al. (2018, arXiv:1805.12514): 4,214,850 weights on CIFAR-10.

    A convolution of 16 filters, residual units of 16, 16, 32 and 64 filters without BatchNorm, each
    with a convolution on its shortcut, then 1000 units; ReLU between.

    Args:
        input_shape: (H, W, C) of images in [0, 1], sides of at least 4.
        mean, std: per channel, subtracted and divided by inside the model.
    """
    inputs, x = image_input(input_shape, mean, std, smallest=4)
    x = convolution(x, 16, 3, "conv1", activation="relu")
    for i, (filters, strides) in enumerate([(16, 1), (16, 1), (32, 2), (64, 2)], 1):
        x = _unit(x, filters, strides, f"block{i}")
    x = layers.Flatten(name="flatten")(x)
    x = dense(x, 1000, "dense1", "relu")
    return keras.Model(inputs, logits(x, classes), name="wong_resnet")


def _unit(x, filters, strides, name):
    first, skip = (3, 1) if strides == 1 else (4, 2)
    y = convolution(x, filters, first, f"{name}_conv1", strides, activation="relu")
    y = convolution(y, filters, 3, f"{name}_conv2")
    shortcut = convolution(x, filters, skip, f"{name}_shortcut", strides)
    return layers.ReLU(name=f"{name}_relu")(layers.Add(name=f"{name}_add")([shortcut, y]))
