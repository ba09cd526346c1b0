import keras

from robustzoo.architectures._parts import (
    basic_block,
    image_input,
    norm_relu,
    pooled_model,
    residual_convolution,
)


def preact_resnet18(
    input_shape: tuple[int, int, int] = (32, 32, 3),
    classes: int = 10,
    mean: tuple[float, ...] | None = None,
    std: tuple[float, ...] | None = None,
) -> keras.Model:
    """Pre-activation ResNet-18 for small images (He et al., 2016, arXiv:1603.05027).

    Four stages of two units with 64, 128, 256 and 512 filters: 11.17 million weights.

    Args:
        input_shape: (H, W, C) of images in [0, 1].
        mean, std: per channel, subtracted and divided by inside the model.
    """
    inputs, x = image_input(input_shape, mean, std)
    x = residual_convolution(x, 64, 3, "conv1")
    for stage in (1, 2, 3, 4):
        for block in (1, 2):
            strides = 2 if stage > 1 and block == 1 else 1
            x = basic_block(x, 32 * 2**stage, strides, f"stage{stage}_block{block}")
    return pooled_model("preact_resnet18", inputs, norm_relu(x, "norm"), classes)
