"""Distances between features."""

import math

from keras import ops

RESOLUTION = 1e-6  # of a squared distance, beside the squared lengths; float32 has no more


def flat(z):
    """(B, ...) as (B, D)."""
    return ops.reshape(z, (-1, math.prod(z.shape[1:])))


def squared_distances(z, points):
    """||z_b - p_n||^2, shape (B, N), of `z` (B, D) and `points` (N, D).

    From products, which a matrix multiplication gives fast, of vectors centred at the mean of the
    points. What is left of two nearly equal vectors is rounding, so nothing is smaller than
    RESOLUTION (||z_b||^2 + ||p_n||^2), centred.
    """
    centre = ops.mean(points, axis=0)
    z, points = z - centre, points - centre
    lengths = ops.sum(ops.square(z), -1)[:, None] + ops.sum(ops.square(points), -1)[None]
    products = ops.matmul(z, ops.transpose(points))
    return ops.maximum(lengths - 2.0 * products, RESOLUTION * lengths)
