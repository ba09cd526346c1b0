"""Diversity of an ensemble."""

from keras import ops

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
    gram = ops.matmul(rest, ops.transpose(rest, (0, 2, 1)))
    _, log_determinant = ops.slogdet(gram + offset * ops.eye(logits.shape[1], dtype=gram.dtype))
    return log_determinant
