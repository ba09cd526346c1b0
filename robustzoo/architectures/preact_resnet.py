import keras

from robustzoo.architectures._parts import (
    basic_block,
    channels_last,
    check_depth,
    check_integer,
    image_input,
    norm_relu,
    pooled_model,
    residual_convolution,
    stages,
)


@channels_last()
def preact_resnet(
    depth: int = 18,
    stem_strides: int = 1,
    input_shape: tuple[int, int, int] = (32, 32, 3),
    classes: int = 10,
    mean: tuple[float, ...] | None = None,
    std: tuple[float, ...] | None = None,
) -> keras.Model:
    """Pre-activation ResNet for small images (He et al., 2016, arXiv:1603.05027).

    Four stages of (depth - 2) / 8 units with 64, 128, 256 and 512 filters. The pre-activation
    ResNet-18 has 11.17 million weights.

    Args:
        depth: 8n + 2, up to 98.
        stem_strides: of the first convolution: 1 as published; 2 halves the resolution of
            everything behind it, for a quarter of the arithmetic and as many weights.
        input_shape: (H, W, C) of images in [0, 1].
        mean, std: per channel, subtracted and divided by inside the model.
    """
    blocks = check_depth(depth, 8, 2, 98)
    check_integer("stem_strides", stem_strides, 1, 2)
    inputs, x = image_input(input_shape, mean, std)
    x = residual_convolution(x, 64, 3, "conv1", stem_strides)
    x = stages(x, basic_block, (64, 128, 256, 512), blocks)
    return pooled_model("preact_resnet", inputs, norm_relu(x, "norm"), classes)
