"""The derivative of a softmax at a temperature."""

import numpy as np


def softmax_jacobian(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """J = (diag(p) - p p^T) / T with p = softmax(Z / T), float64 (B, L, L).

    d softmax(Z / T) / dx = J dZ/dx. A net that is trained at T has logits about T times as large;
    deployed at 1, its J has the size of exp(-T m) where training at 1 gives exp(-m), with m the
    lead of the best class in Z / T. Papernot et al., 2016, arXiv:1511.04508.

    No entry is a difference of close numbers, so J is exact where 1 - p rounds to 0.

    Args:
        logits: Z (B, L).
        temperature: T > 0.
    """
    if not temperature > 0:
        raise ValueError(f"temperature must be positive. Received: {temperature}")
    z = np.asarray(logits, "float64") / temperature
    z = z - z.max(axis=1, keepdims=True)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    across = p[:, :, None] * p[:, None, :]
    np.einsum("bii->bi", across)[:] = 0.0
    jacobian = -across
    np.einsum("bii->bi", jacobian)[:] = across.sum(axis=2)
    return jacobian / temperature
