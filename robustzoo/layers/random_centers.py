"""Random centres of classes."""

import numpy as np

from robustzoo.check_number import check_number


def random_centers(classes: int, dim: int, scale: float = 10.0, seed: int = 0) -> np.ndarray:
    """L points uniform on the sphere of radius `scale` in R^d, float32 (L, d).

    The control of Pang et al., 2020, arXiv:1905.10626 ("MMC rand"): what is left of
    `max_mahalanobis_centers` when the centres are fixed but not optimal.
    """
    check_number("scale", scale, "> 0")
    points = np.random.default_rng(seed).normal(size=(classes, dim))
    points *= scale / np.linalg.norm(points, axis=1, keepdims=True)
    return points.astype("float32")
