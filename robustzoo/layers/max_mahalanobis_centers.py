"""Centres of classes as far apart as the dimension allows."""

import functools

import numpy as np

from robustzoo.check_number import check_number


def max_mahalanobis_centers(
    classes: int, dim: int, scale: float = 10.0, seed: int = 0
) -> np.ndarray:
    """L points of norm `scale` in R^d whose smallest distance is the largest, float32 (L, d).

    For L <= d + 1 they are the corners of a simplex: cosines -1 / (L - 1), distances
    scale sqrt(2 L / (L - 1)), by the recursion of Pang et al., 2018, arXiv:1802.09308, which
    d = L - 1 suffices for. For d + 1 < L <= 2 d they are +-e_i, cosines of at most 0, and none are
    better (Rankin, 1955). For more, Adam minimises a soft maximum of the cosines that hardens step
    by step, where the authors take the maximum itself: a local optimum, which `seed` decides.

    Args:
        classes: L, at least 2.
        dim: d, at least 1, and 2 where there are more than 2 classes.
        scale: norm of each point.
    """
    check_number("scale", scale, "> 0")
    if classes < 2:
        raise ValueError(f"classes must be at least 2. Received: {classes}")
    if dim < 1 + (classes > 2):
        raise ValueError(
            f"{classes} classes need at least {1 + (classes > 2)} dimensions. Received: dim={dim}"
        )
    if dim >= classes - 1:
        units = _simplex(classes, dim)
    elif classes <= 2 * dim:
        units = np.concatenate([np.eye(dim), -np.eye(dim)])[:classes]
    else:
        units = _numeric(classes, dim, seed)
    return (scale * units).astype("float32")


def _simplex(classes, dim):
    """Coordinate j is the length that row j has left, and one value in all rows after it."""
    units = np.zeros((classes, dim))
    for j in range(classes - 1):  # the last row has no length left
        units[j, j] = np.sqrt(1 - units[j] @ units[j])
        units[j + 1 :, j] = -(1 / (classes - 1) + units[j] @ units[j + 1]) / units[j, j]
    return units


@functools.lru_cache(maxsize=4)  # a model is often built more than once
def _numeric(classes, dim, seed, steps=1000, rate=0.05):
    """Adam on a soft maximum of the cosines that hardens from temperature 1/5 to 1/1000."""
    units = _unit(np.random.default_rng(seed).normal(size=(classes, dim)))
    mean, square = np.zeros_like(units), np.zeros_like(units)
    for step in range(steps):
        cosines = units @ units.T
        np.fill_diagonal(cosines, -np.inf)
        weights = np.exp(5 * 200 ** (step / steps) * (cosines - cosines.max()))
        slope = weights / weights.sum() @ units
        slope -= np.sum(slope * units, axis=1, keepdims=True) * units  # along the sphere
        mean, square = 0.9 * mean + 0.1 * slope, 0.999 * square + 0.001 * slope**2
        deviation = np.sqrt(square / (1 - 0.999 ** (step + 1))) + 1e-8
        move = mean / (1 - 0.9 ** (step + 1)) / deviation
        units = _unit(units - rate * (1 - step / steps) * move)
    return units


def _unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)
