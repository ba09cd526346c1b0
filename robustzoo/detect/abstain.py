"""Predictions of a model that may abstain."""

import numpy as np

from robustzoo.detect.base import Detector
from robustzoo.forward import forward

REJECTED = -1


def abstain(
    detector: Detector, images: np.ndarray, threshold: float, batch_size: int = 128
) -> np.ndarray:
    """Predicted classes (N,), int32, of the detector's model, -1 where score < threshold.

    Args:
        images: (N, H, W, C) in [0, 1].
        threshold: of `robustzoo.detect.threshold`, say.
    """
    scores = detector.score(images, batch_size)
    classes = forward(detector.model, detector.checked(images), batch_size).argmax(axis=1)
    return np.where(scores < threshold, REJECTED, classes).astype("int32")
