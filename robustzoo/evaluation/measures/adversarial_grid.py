"""Adversarial examples side by side."""

from collections.abc import Mapping

import keras
import numpy as np

from robustzoo.attacks import Attack, run
from robustzoo.evaluation.predict import predict


def adversarial_grid(
    model: keras.Model,
    images: np.ndarray,
    labels: np.ndarray,
    attacks: Mapping[str, Attack],
    batch_size: int = 128,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """What A attacks make of N images, below the images themselves.

    Args:
        images, labels: float32 (N, H, W, C) in [0, 1] and integers (N,).

    Returns images (A + 1, N, H, W, C), the clean ones first, and their classes (A + 1, N).
    """
    rows = [images]
    for attack in attacks.values():
        rows.append(run(attack, model, images, labels, batch_size, seed).images)
    flat = np.concatenate(rows)
    classes = predict(model, flat, batch_size).reshape(len(rows), len(images))
    return np.stack(rows), classes
