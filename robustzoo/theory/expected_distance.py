"""Distance to the boundary between two classes of a Gaussian mixture."""

import math


def expected_distance(apart: float) -> float:
    """Mean distance of a sample of class i to the boundary between classes i and j.

    sqrt(2 / pi) exp(-D^2 / 8) + D / 2 (1 - 2 Phi(-D / 2)), where classes are N(mu_i, I) and
    N(mu_j, I), equally likely, and D = ||mu_i - mu_j||; at least D / 2, and hardly more where D is
    large. Theorem 1 of Pang et al., 2018, arXiv:1802.09308.

    Args:
        apart: D >= 0.
    """
    if not apart >= 0:
        raise ValueError(f"apart must be >= 0. Received: {apart}")
    tails = math.erfc(apart / math.sqrt(8.0))  # 2 Phi(-D / 2)
    return math.sqrt(2.0 / math.pi) * math.exp(-(apart**2) / 8.0) + apart / 2.0 * (1.0 - tails)
