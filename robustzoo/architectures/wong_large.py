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
def wong_large(
    input_shape: tuple[int, int, int] = (28, 28, 1),
    classes: int = 10,
    mean: tuple[float, ...] | None = None,
    std: tuple[float, ...] | None = None,
    filters: int = 32,
    units: int = 512,
    batch_norm: bool = False,
) -> keras.Model:
    """The large network of Wong et al. (2018, arXiv:1805.12514): 1,974,762 weights on MNIST.

    3x3 and 4x4 convolutions by turns, the latter with stride 2, of 32, 32, 64 and 64 filters, then
    512 and 512 units; ReLU between.

    Args:
        input_shape: (H, W, C) of images in [0, 1], sides of at least 4.
        mean, std: per channel, subtracted and divided by inside the model.
        filters: of the first two convolutions; the other two have twice as many.
        units: of the two dense layers.
        batch_norm: before every ReLU, as intervals of this depth need to learn in short runs (Shi
            et al., 2021, arXiv:2103.17268).
    """
    inputs, x = image_input(input_shape, mean, std, smallest=4)
    check_integer("filters", filters, 1, 1024)
    check_integer("units", units, 1, 4096)
    bent = relu_maker(batch_norm)
    convolutions = (filters, 3, 1), (filters, 4, 2), (2 * filters, 3, 1), (2 * filters, 4, 2)
    for number, (width, size, strides) in enumerate(convolutions, 1):
        name = f"conv{number}"
        x = bent(convolution(x, width, size, name, strides), name)
    x = layers.Flatten(name="flatten")(x)
    for name in ("dense1", "dense2"):
        x = bent(dense(x, units, name), name)
    return keras.Model(inputs, logits(x, classes), name="wong_large")
