import keras
from keras import layers

from robustzoo.architectures._parts import convolution, dense, image_input, logits


def wong_large(
    input_shape: tuple[int, int, int] = (28, 28, 1),
    classes: int = 10,
    mean: tuple[float, ...] | None = None,
    std: tuple[float, ...] | None = None,
) -> keras.Model:
    """The large network of Wong et al. (2018, arXiv:1805.12514): 1,974,762 weights on MNIST.

    3x3 and 4x4 convolutions by turns, the latter with stride 2, of 32, 32, 64 and 64 filters, then
    512 and 512 units; ReLU between.

    Args:
        input_shape: (H, W, C) of images in [0, 1], sides of at least 4.
        mean, std: per channel, subtracted and divided by inside the model.
    """
    inputs, x = image_input(input_shape, mean, std, smallest=4)
    x = convolution(x, 32, 3, "conv1", activation="relu")
    x = convolution(x, 32, 4, "conv2", strides=2, activation="relu")
    x = convolution(x, 64, 3, "conv3", activation="relu")
    x = convolution(x, 64, 4, "conv4", strides=2, activation="relu")
    x = layers.Flatten(name="flatten")(x)
    x = dense(x, 512, "dense1", "relu")
    x = dense(x, 512, "dense2", "relu")
    return keras.Model(inputs, logits(x, classes), name="wong_large")
