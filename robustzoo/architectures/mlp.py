import keras
from keras import layers

from robustzoo.architectures._parts import channels_last, check_integer, dense, image_input, logits


@channels_last()
def mlp(
    widths: tuple[int, ...] = (256,),
    input_shape: tuple[int, int, int] = (28, 28, 1),
    classes: int = 10,
    mean: tuple[float, ...] | None = None,
    std: tuple[float, ...] | None = None,
) -> keras.Model:
    """Fully connected ReLU layers of the given widths, He-normal.

    Args:
        widths: units of each hidden layer.
        input_shape: (H, W, C) of images in [0, 1].
        mean, std: per channel, subtracted and divided by inside the model.
    """
    if not isinstance(widths, (tuple, list)) or not 1 <= len(widths) <= 16:
        raise ValueError(f"widths must be 1 to 16 layer widths. Received: {widths!r:.100}")
    inputs, x = image_input(input_shape, mean, std)
    x = layers.Flatten(name="flatten")(x)
    for i, width in enumerate(widths, 1):
        check_integer("each of widths", width, 1, 4096)
        x = dense(x, width, f"dense{i}", "relu", kernel_initializer="he_normal")
    return keras.Model(inputs, logits(x, classes), name="mlp")
