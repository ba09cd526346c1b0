"""Which adversarial examples a detector is judged on."""

import keras
import numpy as np

from robustzoo.checks import check_data, check_images
from robustzoo.forward import forward


def pairs(
    model: keras.Model,
    images: np.ndarray,
    labels: np.ndarray,
    adversarial: np.ndarray,
    batch_size: int = 128,
) -> np.ndarray:
    """Whether `model` is right on an image and wrong on its adversarial one, bool (N,).

    Only those count: a detector need not find what changed nothing.

    Args:
        images, adversarial: (N, H, W, C) in [0, 1], in the same order.
        labels: true classes (N,).
    """
    images, labels = check_data(model, images, labels)
    adversarial = check_images(adversarial, model.input_shape[1:])
    if len(adversarial) != len(images):
        raise ValueError(f"{len(images)} images have {len(adversarial)} adversarial ones")
    right = forward(model, images, batch_size).argmax(axis=1) == labels
    return right & (forward(model, adversarial, batch_size).argmax(axis=1) != labels)
