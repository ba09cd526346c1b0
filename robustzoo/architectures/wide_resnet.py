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
def wide_resnet(
    depth: int = 28,
    width: int = 10,
    stem_strides: int = 1,
    input_shape: tuple[int, int, int] = (32, 32, 3),
    classes: int = 10,
    mean: tuple[float, ...] | None = None,
    std: tuple[float, ...] | None = None,
) -> keras.Model:
    """WideResNet-depth-width without dropout (Zagoruyko & Komodakis, 2016, arXiv:1605.07146).

    Three stages of (depth - 4) / 6 pre-activation units with 16, 32 and 64 times `width` filters.
    WRN-28-10 has 36.5 million weights, WRN-34-10 46.2 million.

    Args:
        depth: 6n + 4, up to 100.
        width: 1 to 20.
        stem_strides: of the first convolution: 1 as published; 2 halves the resolution of
            everything behind it, for a quarter of the arithmetic and as many weights.
        input_shape: (H, W, C) of images in [0, 1].
        mean, std: per channel, subtracted and divided by inside the model.
    """
    blocks = check_depth(depth, 6, 4, 100)
    check_integer("width", width, 1, 20)
    check_integer("stem_strides", stem_strides, 1, 2)
    inputs, x = image_input(input_shape, mean, std)
    x = residual_convolution(x, 16, 3, "conv1", stem_strides)
    x = stages(x, basic_block, (16 * width, 32 * width, 64 * width), blocks)
    return pooled_model("wide_resnet", inputs, norm_relu(x, "norm"), classes)
