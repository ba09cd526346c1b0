"""Accuracy against the size of the budget, from minimal norms."""

from collections.abc import Sequence

import numpy as np


def norm_curve(distance: np.ndarray, eps: Sequence[float]) -> np.ndarray:
    """Share of `distance` (N,) above every eps (K,), shape (K,).

    Args:
        distance: of the nearest adversarial examples found, as in `Result`: 0 where the image is
            misclassified anyway, inf where none was found.
        eps: budgets in the same norm.
    """
    distance = np.asarray(distance)
    if np.isnan(distance).any():
        raise ValueError("distance must be known of every example. Received: NaN")
    return (distance[:, None] > np.asarray(eps)[None, :]).mean(axis=0)
