"""Minimal norms in three numbers."""

import numpy as np


def norm_summary(distance: np.ndarray) -> tuple[float, float, float]:
    """(success rate, mean, median) of `distance` (N,), as in `Result`.

    The rate is that among the correctly classified examples, those whose distance is not 0; mean
    and median are over the successes. What has nothing to be computed from is NaN.
    """
    attacked = np.asarray(distance)[np.asarray(distance) > 0]
    found = attacked[np.isfinite(attacked)]
    if not len(found):
        return (0.0 if len(attacked) else np.nan), np.nan, np.nan
    return len(found) / len(attacked), float(found.mean()), float(np.median(found))
