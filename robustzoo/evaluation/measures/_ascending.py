import numpy as np


def ascending(eps) -> np.ndarray:
    """`eps` as float64 (K,); ValueError unless they are ascending numbers >= 0."""
    eps = np.asarray(eps, "float64")
    if eps.ndim != 1 or not len(eps) or not eps[0] >= 0 or not (np.diff(eps) > 0).all():
        raise ValueError(f"eps must be ascending numbers >= 0. Received: {eps.tolist()}")
    return eps
