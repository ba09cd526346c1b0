import keras
from keras import layers

from robustzoo.architectures._parts import channels_last, image_input


@channels_last()
def perturbation_generator(
    input_shape: tuple[int, int, int] = (28, 28, 1), blocks: int = 2
) -> keras.Model:
    """From images in [0, 1] to perturbations in [-1, 1], for `defenses.AdversarialGenerator`.

    3x3 convolutions of 8, 16 and 32 filters, the last two with stride 2, residual blocks, two
    transposed convolutions of 16 and 8 filters, and tanh; instance normalisation and ReLU after
    all but the last. No paper gives its size, this is ours: 49,153 weights on MNIST.

    Args:
        input_shape: (H, W, C), sides of a multiple of 4.
        blocks: number of residual blocks.
    """
    inputs, x = image_input(input_shape, None, None, smallest=4)
    if any(side % 4 for side in input_shape[:2]):
        raise ValueError(f"sides must be multiples of 4. Received: input_shape={input_shape}")
    for i, (filters, strides) in enumerate(((8, 1), (16, 2), (32, 2)), 1):
        x = _active(_convolution(filters, strides, f"down{i}")(x), f"down{i}")
    for i in range(1, blocks + 1):
        y = _active(_convolution(32, 1, f"block{i}_conv1")(x), f"block{i}")
        y = _norm(_convolution(32, 1, f"block{i}_conv2")(y), f"block{i}_norm2")
        x = layers.Add(name=f"block{i}_add")([x, y])
    for i, filters in enumerate((16, 8), 1):
        up = layers.Conv2DTranspose(filters, 3, 2, padding="same", name=f"up{i}")
        x = _active(up(x), f"up{i}")
    last = layers.Conv2D(
        input_shape[2], 3, padding="same", activation="tanh", dtype="float32", name="perturbation"
    )
    return keras.Model(inputs, last(x), name="perturbation_generator")


def _convolution(filters, strides, name):
    return layers.Conv2D(filters, 3, strides, padding="same", name=name)


def _norm(x, name):
    return layers.GroupNormalization(groups=-1, name=name)(x)


def _active(x, name):
    return layers.ReLU(name=f"{name}_relu")(_norm(x, f"{name}_norm"))
