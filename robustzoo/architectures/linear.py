import keras
from keras import layers

from robustzoo.architectures._parts import channels_last, image_input, logits


@channels_last()
def linear(
    input_shape: tuple[int, int, int] = (28, 28, 1),
    classes: int = 10,
    mean: tuple[float, ...] | None = None,
    std: tuple[float, ...] | None = None,
) -> keras.Model:
    """Logits W x + b of the flattened image.

    Args:
        input_shape: (H, W, C) of images in [0, 1].
        mean, std: per channel, subtracted and divided by inside the model.
    """
    inputs, x = image_input(input_shape, mean, std)
    x = layers.Flatten(name="flatten")(x)
    return keras.Model(inputs, logits(x, classes), name="linear")
