"""The ensemble that minimises the ADP loss."""

import math

import numpy as np


def adp_optimum(members: int, classes: int, alpha: float = 2.0) -> np.ndarray:
    """Probabilities (K, L) of K members for an image of class 0, of least `losses.adp`, beta > 0.

    Each member gives its own class p with 1 / p = (alpha / K) log(p (L - 1) / (1 - p)), and
    shares the rest evenly among (L - 1) / K classes that are its alone. Equation 7 and the
    corollary of Pang et al., 2019, arXiv:1901.08846. With alpha = 0 it is p = 1.

    Raises ValueError unless K divides L - 1: else no two members can have each their own
    classes and the mean be even.
    """
    if members < 1 or classes < 2 or (classes - 1) % members:
        raise ValueError(
            "the number of members must divide that of classes less one. "
            f"Received: {members} members, {classes} classes"
        )
    if alpha < 0:
        raise ValueError(f"alpha must be >= 0. Received: {alpha}")
    own = _own_probability(members, classes, alpha)
    share = (classes - 1) // members
    probabilities = np.zeros((members, classes))
    probabilities[:, 0] = own
    for k in range(members):
        probabilities[k, 1 + k * share : 1 + (k + 1) * share] = (1.0 - own) / share
    return probabilities


def _own_probability(members, classes, alpha):
    """Root in (0, 1), by bisection: alpha log(...) - K / p rises from -inf to inf."""
    low, high = 0.0, 1.0
    for _ in range(200):
        p = (low + high) / 2
        if p in (low, high):
            break
        rise = alpha * (math.log(p) + math.log(classes - 1) - math.log1p(-p))
        low, high = (low, p) if rise > members / p else (p, high)
    return high
