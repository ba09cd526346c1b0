import keras
from keras import layers

from robustzoo.architectures._parts import (
    channels_last,
    convolution,
    image_input,
    logits,
    norm_relu,
)

STAGES = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))


@channels_last()
def vgg16(
    input_shape: tuple[int, int, int] = (32, 32, 3),
    classes: int = 10,
    mean: tuple[float, ...] | None = None,
    std: tuple[float, ...] | None = None,
) -> keras.Model:
    """VGG16 with BatchNorm for small images, as in Liu et al., 2018, arXiv:1712.00673.

    The thirteen 3x3 convolutions of Simonyan & Zisserman, 2015, arXiv:1409.1556, each followed by
    BatchNorm and ReLU, with max-pooling after every stage; then one dense layer: 14.7 million
    weights.

    Args:
        input_shape: (H, W, C) of images in [0, 1], sides of at least 32.
        mean, std: per channel, subtracted and divided by inside the model.
    """
    inputs, x = image_input(input_shape, mean, std, smallest=32)
    for stage, widths in enumerate(STAGES, 1):
        for i, filters in enumerate(widths, 1):
            name = f"stage{stage}_conv{i}"
            x = norm_relu(convolution(x, filters, 3, name), f"stage{stage}_norm{i}")
        x = layers.MaxPooling2D(2, name=f"stage{stage}_pool")(x)
    x = layers.Flatten(name="flatten")(x)
    return keras.Model(inputs, logits(x, classes), name="vgg16")
