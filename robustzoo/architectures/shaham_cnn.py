import keras
from keras import layers

from robustzoo.architectures._parts import channels_last, dense, image_input, logits


@channels_last()
def shaham_cnn(
    input_shape: tuple[int, int, int] = (28, 28, 1),
    classes: int = 10,
    mean: tuple[float, ...] | None = None,
    std: tuple[float, ...] | None = None,
) -> keras.Model:
    """The MNIST network of Shaham et al. (2018, arXiv:1511.05432): 105,506 weights.

    The image padded by 2 with zeros and normalised by BatchNorm without weights, then unpadded 5x5
    convolutions of 32 and 64 filters with 3x3 and 2x2 max-pooling, and 200 units; ReLU between.

    Args:
        input_shape: (H, W, C) of images in [0, 1], sides of at least 18.
        mean, std: per channel, subtracted and divided by inside the model, before the padding.
    """
    inputs, x = image_input(input_shape, mean, std, smallest=18)
    x = layers.ZeroPadding2D(2, name="pad")(x)
    x = layers.BatchNormalization(
        momentum=0.9, epsilon=1e-5, center=False, scale=False, name="norm"
    )(x)
    for i, (filters, window) in enumerate(((32, 3), (64, 2)), 1):
        x = layers.Conv2D(filters, 5, activation="relu", name=f"conv{i}")(x)
        x = layers.MaxPooling2D(window, name=f"pool{i}")(x)
    x = layers.Flatten(name="flatten")(x)
    x = dense(x, 200, "dense1", "relu")
    return keras.Model(inputs, logits(x, classes), name="shaham_cnn")
