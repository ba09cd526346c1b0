"""What a count of hits proves of their probability."""

import numpy as np


def lower_bound(hits, draws: int, alpha: float) -> np.ndarray:
    """p with P(true probability >= p) >= 1 - alpha, shaped like `hits` out of `draws`, float64.

    The alpha quantile of Beta(hits, draws - hits + 1), 0 without a hit: the one-sided interval of
    Clopper & Pearson, 1934.
    """
    from scipy import stats

    hits = np.asarray(hits)
    quantile = stats.beta.ppf(alpha, np.maximum(hits, 1), draws - hits + 1)
    return np.where(hits > 0, quantile, 0.0)
