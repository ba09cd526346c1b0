import keras
from keras import initializers, layers

from robustzoo.architectures._parts import channels_last, dense, image_input, logits


@channels_last()
def madry_cnn(
    input_shape: tuple[int, int, int] = (28, 28, 1),
    classes: int = 10,
    mean: tuple[float, ...] | None = None,
    std: tuple[float, ...] | None = None,
) -> keras.Model:
    """The MNIST network of Madry et al. (2018, arXiv:1706.06083): 3,274,634 weights.

    Two 5x5 convolutions of 32 and 64 filters, each with 2x2 max-pooling, and 1024 hidden units;
    all weights start from a normal of deviation 0.1 cut at 0.2, all biases at 0.1.

    Args:
        input_shape: (H, W, C) of images in [0, 1], sides of at least 4.
        mean, std: per channel, subtracted and divided by inside the model.
    """
    inputs, x = image_input(input_shape, mean, std, smallest=4)
    for i, filters in enumerate((32, 64), 1):
        x = layers.Conv2D(
            filters, 5, padding="same", activation="relu", name=f"conv{i}", **_start()
        )(x)
        x = layers.MaxPooling2D(2, name=f"pool{i}")(x)
    x = layers.Flatten(name="flatten")(x)
    x = dense(x, 1024, "dense1", "relu", **_start())
    return keras.Model(inputs, logits(x, classes, **_start()), name="madry_cnn")


def _start():
    return {
        "kernel_initializer": initializers.TruncatedNormal(stddev=0.1),
        "bias_initializer": initializers.Constant(0.1),
    }
