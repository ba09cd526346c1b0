import keras
from keras import layers

from robustzoo.architectures._parts import (
    channels_last,
    check_depth,
    image_input,
    norm_relu,
    pooled_model,
    residual_convolution,
    stages,
)


@channels_last()
def resnet_v2(
    depth: int = 29,
    input_shape: tuple[int, int, int] = (32, 32, 3),
    classes: int = 10,
    mean: tuple[float, ...] | None = None,
    std: tuple[float, ...] | None = None,
) -> keras.Model:
    """Pre-activation bottleneck ResNet for small images (He et al., 2016, arXiv:1603.05027).

    Three stages of (depth - 2) / 9 units with 64, 128 and 256 filters, a quarter of that inside:
    1.7 million weights at depth 164. Where the shape changes, the shortcut is a 1x1 convolution of
    the pre-activated tensor.

    Args:
        depth: 9n + 2, up to 1001.
        input_shape: (H, W, C) of images in [0, 1].
        mean, std: per channel, subtracted and divided by inside the model.
    """
    blocks = check_depth(depth, 9, 2, 1001)
    inputs, x = image_input(input_shape, mean, std)
    x = residual_convolution(x, 16, 3, "conv1")
    x = stages(x, _unit, (64, 128, 256), blocks)
    return pooled_model("resnet_v2", inputs, norm_relu(x, "norm"), classes)


def _unit(x, filters, strides, name):
    active = norm_relu(x, f"{name}_norm1")
    shortcut = x
    if strides != 1 or x.shape[-1] != filters:
        shortcut = residual_convolution(active, filters, 1, f"{name}_shortcut", strides)
    y = residual_convolution(active, filters // 4, 1, f"{name}_conv1", strides)
    y = residual_convolution(norm_relu(y, f"{name}_norm2"), filters // 4, 3, f"{name}_conv2")
    y = residual_convolution(norm_relu(y, f"{name}_norm3"), filters, 1, f"{name}_conv3")
    return layers.Add(name=f"{name}_add")([shortcut, y])
