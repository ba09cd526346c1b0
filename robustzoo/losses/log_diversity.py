"""Diversity of an ensemble."""

from keras import ops

from robustzoo.losses._labels import nan_unless_class
from robustzoo.losses._own import rivals


def log_diversity(y, logits, offset: float = 1e-6):
    """log det(M M^T + offset I), shape (B,): M (K, L - 1) holds, of each member's probabilities,
    those of the classes other than `y` (B,), as a vector of length one.

    The determinant of M M^T is the squared volume that these vectors span: 1 where no two members
    share a second guess, 0 where K > L - 1. `logits` are (B, K, L). Pang et al., 2019,
    arXiv:1901.08846.
    """
    # Without its own class the softmax differs by a factor only, and cannot underflow to zero.
    rest = ops.softmax(rivals(logits, y[:, None]), axis=-1)
    rest = rest / ops.sqrt(ops.sum(ops.square(rest), axis=-1, keepdims=True))
    members = logits.shape[1]
    corner = ops.zeros_like(rest[:, :, :1]) + offset**0.5 * ops.eye(members, dtype=rest.dtype)
    volume = _log_squared_volume(ops.concatenate([rest, corner], axis=-1))
    return nan_unless_class(volume, y, logits.shape[-1])


def _log_squared_volume(vectors):
    """log det(V V^T) of `vectors` V (B, K, N), shape (B,): the logarithms of the squared heights.

    By Gram-Schmidt, which on V rounds less than a determinant does on V V^T; and TensorFlow has
    no determinant under XLA.
    """
    total, rows = 0.0, ops.unstack(vectors, axis=1)
    while rows:
        first, *rows = rows
        squared = ops.sum(ops.square(first), axis=-1, keepdims=True)
        total = total + ops.log(squared)[:, 0]
        shares = [ops.sum(row * first, axis=-1, keepdims=True) / squared for row in rows]
        rows = [row - share * first for row, share in zip(rows, shares, strict=True)]
    return total
