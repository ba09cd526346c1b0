"""Adversarial examples of one model shown to another."""

from collections.abc import Mapping

import keras
import numpy as np

from robustzoo.attacks import Attack, run
from robustzoo.evaluation.predict import predict


def transfer_matrix(
    models: Mapping[str, keras.Model],
    images: np.ndarray,
    labels: np.ndarray,
    attack: Attack,
    batch_size: int = 128,
    seed: int = 0,
) -> np.ndarray:
    """Accuracy of model j on what `attack` makes of the images with model i, at [i, j] of (M, M).

    An example counts as correct where model j sees the right class before and after; so the
    diagonal is the white-box accuracy. The members of an ensemble are models like any other.

    Args:
        models: by name; all take `images`.
        images, labels: float32 (N, H, W, C) in [0, 1] and integers (N,).
    """
    correct = {name: predict(model, images, batch_size) == labels for name, model in models.items()}
    matrix = []
    for source in models.values():
        found = run(attack, source, images, labels, batch_size, seed).images
        matrix.append(
            [
                np.mean(correct[name] & (predict(model, found, batch_size) == labels))
                for name, model in models.items()
            ]
        )
    return np.array(matrix)
