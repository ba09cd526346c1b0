"""Robustness of a Gaussian mixture."""

import math

import numpy as np

from robustzoo.theory.expected_distance import expected_distance


def mahalanobis_robustness(centers: np.ndarray) -> float:
    """RB = min_{i, j} of `expected_distance`: that of the two closest of the centres (L, d).

    Classes are N(mu_i, I) and equally likely. At most that of `mahalanobis_bound`. Pang et al.,
    2018, arXiv:1802.09308.
    """
    centers = np.asarray(centers, "float64")
    if centers.ndim != 2 or len(centers) < 2:
        raise ValueError(f"centers must be (L, d) with L >= 2. Received: {centers.shape}")
    squares = np.sum(centers**2, axis=1)
    gaps = squares[:, None] + squares[None] - 2 * centers @ centers.T
    np.fill_diagonal(gaps, np.inf)
    return expected_distance(math.sqrt(max(0.0, gaps.min())))
