import keras
from keras import layers

from robustzoo.architectures._parts import channels_last, convolution, dense, image_input, logits


@channels_last()
def wong_small(
    input_shape: tuple[int, int, int] = (28, 28, 1),
    classes: int = 10,
    mean: tuple[float, ...] | None = None,
    std: tuple[float, ...] | None = None,
) -> keras.Model:
    """The small network of Wong et al. (2018, arXiv:1805.12514): 166,406 weights on MNIST.

    4x4 convolutions of 16 and 32 filters with stride 2, then 100 units; ReLU between.

    Args:
        input_shape: (H, W, C) of images in [0, 1], sides of at least 4.
        mean, std: per channel, subtracted and divided by inside the model.
    """
    inputs, x = image_input(input_shape, mean, std, smallest=4)
    x = convolution(x, 16, 4, "conv1", strides=2, activation="relu")
    x = convolution(x, 32, 4, "conv2", strides=2, activation="relu")
    x = layers.Flatten(name="flatten")(x)
    x = dense(x, 100, "dense1", "relu")
    return keras.Model(inputs, logits(x, classes), name="wong_small")
