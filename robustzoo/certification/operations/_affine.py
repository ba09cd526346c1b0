"""What the affine operations share."""

import math


def center_radius(box):
    """(c, r) of the box (low, high) = (c - r, c + r)."""
    low, high = box
    return (low + high) / 2.0, (high - low) / 2.0


def per_row(xp, a, values=1.0):
    """<a, values> of each row a (R, ..., C); `values` is a number or (C,), the same everywhere."""
    places = tuple(range(1, len(a.shape) - 1))
    return xp.sum((xp.sum(a, axis=places) if places else a) * values, axis=-1)


def pairs(xp, a, b):
    """<a, b> of rows a (B, K, *shape), K of each image, with what their images have, b (B, *shape).

    Shape (B, K).
    """
    size = math.prod(b.shape[1:])
    a = xp.reshape(a, (-1, a.shape[1], size))
    return xp.einsum("bki,bi->bk", a, xp.reshape(b, (-1, size)))


def folded(xp, kernel, bias, scales):
    """Kernel (..., C) and bias (C,) or None with the per-channel `scales` behind them inside."""
    bias = xp.zeros(kernel.shape[-1:], xp.dtype) if bias is None else bias
    for scale in scales:
        factor, offset = scale.read(xp)
        kernel, bias = kernel * factor, bias * factor + offset
    return kernel, bias
