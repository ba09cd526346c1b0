import keras
from keras import layers

from robustzoo.architectures._parts import channels_last, check_integer, dense, image_input, logits


@channels_last()
def small_cnn(
    input_shape: tuple[int, int, int] = (28, 28, 1),
    classes: int = 10,
    mean: tuple[float, ...] | None = None,
    std: tuple[float, ...] | None = None,
    filters: int = 32,
    units: int = 200,
) -> keras.Model:
    """SmallCNN of TRADES (Zhang et al., 2019, arXiv:1901.08573): 312,202 weights on MNIST.

    Unpadded 3x3 convolutions 32, 32, max-pooling, 64, 64, max-pooling, then 200 and 200 units
    with dropout 0.5 after the first. He-normal, but the last layer starts at zero.

    Args:
        input_shape: (H, W, C) of images in [0, 1], sides of at least 16.
        mean, std: per channel, subtracted and divided by inside the model.
        filters: of the first two convolutions; the other two have twice as many. With 64, and 256
            units, it is the CIFAR-10 net of Papernot et al., 2016, arXiv:1511.04508.
        units: of the two dense layers.
    """
    inputs, x = image_input(input_shape, mean, std, smallest=16)
    check_integer("filters", filters, 1, 1024)
    check_integer("units", units, 1, 4096)
    for i, width in enumerate((filters, filters, 2 * filters, 2 * filters), 1):
        convolution = layers.Conv2D(
            width, 3, activation="relu", kernel_initializer="he_normal", name=f"conv{i}"
        )
        x = convolution(x)
        if i in (2, 4):
            x = layers.MaxPooling2D(2, name=f"pool{i // 2}")(x)
    x = layers.Flatten(name="flatten")(x)
    x = dense(x, units, "dense1", "relu", kernel_initializer="he_normal")
    x = layers.Dropout(0.5, name="dropout")(x)
    x = dense(x, units, "dense2", "relu", kernel_initializer="he_normal")
    x = logits(x, classes, kernel_initializer="zeros")
    return keras.Model(inputs, x, name="small_cnn")
