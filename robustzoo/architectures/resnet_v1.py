import keras
from keras import layers

from robustzoo.architectures._parts import (
    batch_norm,
    channels_last,
    check_depth,
    image_input,
    norm_relu,
    pooled_model,
    residual_convolution,
    stages,
)


@channels_last()
def resnet_v1(
    depth: int = 20,
    input_shape: tuple[int, int, int] = (32, 32, 3),
    classes: int = 10,
    mean: tuple[float, ...] | None = None,
    std: tuple[float, ...] | None = None,
) -> keras.Model:
    """ResNet for small images (He et al., 2016, arXiv:1512.03385).

    Three stages of (depth - 2) / 6 units with 16, 32 and 64 filters: 0.27 million weights at depth
    20. Where the shape changes, the shortcut is a 1x1 convolution.

    Args:
        depth: 6n + 2, up to 1202.
        input_shape: (H, W, C) of images in [0, 1].
        mean, std: per channel, subtracted and divided by inside the model.
    """
    blocks = check_depth(depth, 6, 2, 1202)
    inputs, x = image_input(input_shape, mean, std)
    x = norm_relu(residual_convolution(x, 16, 3, "conv1"), "norm1")
    x = stages(x, _unit, (16, 32, 64), blocks)
    return pooled_model("resnet_v1", inputs, x, classes)


def _unit(x, filters, strides, name):
    y = residual_convolution(x, filters, 3, f"{name}_conv1", strides)
    y = residual_convolution(norm_relu(y, f"{name}_norm1"), filters, 3, f"{name}_conv2")
    y = batch_norm(y, f"{name}_norm2")
    if strides != 1:
        x = residual_convolution(x, filters, 1, f"{name}_shortcut", strides)
    return layers.ReLU(name=f"{name}_relu")(layers.Add(name=f"{name}_add")([x, y]))
