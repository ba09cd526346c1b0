"""The most robust Gaussian mixture."""

import math


def mahalanobis_bound(classes: int, scale: float) -> float:
    """scale sqrt(L / (2 (L - 1))), the most that min ||mu_i - mu_j|| / 2 of L centres can be.

    Theorem 2 of Pang et al., 2018, arXiv:1802.09308. Half the smallest distance is what
    `mahalanobis_robustness` comes to where the classes hardly overlap. Equality holds for
    `layers.max_mahalanobis_centers` with d >= L - 1 and, but for rotations, for no others.

    Args:
        classes: L, at least 2.
        scale: largest norm of a centre; the paper's C is its square.
    """
    if classes < 2:
        raise ValueError(f"classes must be at least 2. Received: {classes}")
    return scale * math.sqrt(classes / (2.0 * (classes - 1)))
