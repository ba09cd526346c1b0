"""Kullback-Leibler divergence between two predictions."""

from keras import ops


def kl_divergence(logits_p, logits_q):
    """KL(softmax(logits_p) || softmax(logits_q)), shape (B,). Both inputs are (B, L)."""
    log_p, log_q = ops.log_softmax(logits_p), ops.log_softmax(logits_q)
    return ops.sum(ops.exp(log_p) * (log_p - log_q), axis=-1)
