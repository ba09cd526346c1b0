"""What scores must look like."""

import numpy as np


def check_scores(name: str, scores) -> np.ndarray:
    """`scores` as float64 (N,), N > 0; ValueError if they are something else or not finite."""
    scores = np.asarray(scores)
    if scores.ndim != 1 or not len(scores) or not np.issubdtype(scores.dtype, np.floating):
        raise ValueError(
            f"{name} must be floats of shape (N,), N > 0. Received: {scores.dtype}{scores.shape}"
        )
    if not np.isfinite(scores).all():
        raise ValueError(f"{name} must be finite. Received: NaN or Inf")
    return scores.astype("float64")
