"""Cross-entropy of one prediction with another."""

from keras import ops


def soft_cross_entropy(logits_p, logits_q, temperature: float = 1.0):
    """-sum_j p_j log q_j with p, q = softmax(Z / T) of either's logits Z (B, L), shape (B,).

    With p of the teacher this is defensive distillation (Papernot et al., 2016,
    arXiv:1511.04508); there is no factor T^2, as Hinton et al., 2015, arXiv:1503.02531, have.

    Args:
        temperature: T > 0.
    """
    p = ops.softmax(logits_p / temperature)
    return -ops.sum(p * ops.log_softmax(logits_q / temperature), axis=-1)
