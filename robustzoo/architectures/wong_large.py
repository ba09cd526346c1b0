import keras
from keras import layers

from robustzoo.architectures._parts import check_integer, convolution, dense, image_input, logits


def wong_large(
    input_shape: tuple[int, int, int] = (28, 28, 1),
    classes: int = 10,
    mean: tuple[float, ...] | None = None,
    std: tuple[float, ...] | None = None,
    filters: int = 32,
    units: int = 512,
) -> keras.Model:
    """The large network of Wong et al. (2018, arXiv:1805.12514): 1,974,762 weights on MNIST.

    3x3 and 4x4 convolutions by turns, the latter with stride 2, of 32, 32, 64 and 64 filters, then
    512 and 512 units; ReLU between.

    Args:
        input_shape: (H, W, C) of images in [0, 1], sides of at least 4.
        mean, std: per channel, subtracted and divided by inside the model.
        filters: of the first two convolutions; the other two have twice as many.
        units: of the two dense layers.
    """
    inputs, x = image_input(input_shape, mean, std, smallest=4)
    check_integer("filters", filters, 1, 1024)
    check_integer("units", units, 1, 4096)
    x = convolution(x, filters, 3, "conv1", activation="relu")
    x = convolution(x, filters, 4, "conv2", strides=2, activation="relu")
    x = convolution(x, 2 * filters, 3, "conv3", activation="relu")
    x = convolution(x, 2 * filters, 4, "conv4", strides=2, activation="relu")
    x = layers.Flatten(name="flatten")(x)
    x = dense(x, units, "dense1", "relu")
    x = dense(x, units, "dense2", "relu")
    return keras.Model(inputs, logits(x, classes), name="wong_large")
