"""How densely training features lie around a centre."""

import numpy as np
from scipy.special import gammaln


def sample_density(count: int, probability, loss, dim: int) -> np.ndarray:
    """N p(C) / (S r^(d - 2)), r = sqrt(2 C), S = 2 pi^(d / 2) / Gamma(d / 2): per unit of volume.

    The features whose MMC loss ||z - mu||^2 / 2 is C lie on a sphere of radius r, and those between
    C and C + dC in a shell of volume S r^(d - 2) dC. So minimising the loss drives N features
    together; cross-entropy leaves them spread over an unbounded surface, on which the density that
    robust learning needs (its sample complexity) stays low. Pang et al., 2020, arXiv:1905.10626,
    Theorem 2, which counts the area r^(d - 1) instead of the shell.

    Args:
        count: N, features of the class.
        probability: p(C), the density of their losses at `loss`.
        loss: C > 0.
        dim: d >= 1, of the features.
    """
    loss = np.asarray(loss, "float64")
    if not (loss > 0).all() or dim < 1 or count < 0:
        raise ValueError(
            f"loss must be positive, dim >= 1, count >= 0. Received: {loss}, {dim}, {count}"
        )
    # In logarithms: in 256 dimensions both factors leave the range of a float64.
    log_sphere = np.log(2.0) + 0.5 * dim * np.log(np.pi) - gammaln(0.5 * dim)
    return (
        count * np.asarray(probability) * np.exp(-log_sphere - 0.5 * (dim - 2) * np.log(2.0 * loss))
    )
