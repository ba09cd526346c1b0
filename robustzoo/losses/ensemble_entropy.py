"""Entropy of an ensemble."""

from keras import ops


def ensemble_entropy(logits):
    """Entropy in nats of the mean over k of softmax(z_k), shape (B,); `logits` are (B, K, L).

    Pang et al., 2019, arXiv:1901.08846.
    """
    log_mean = ops.logsumexp(ops.log_softmax(logits, axis=-1), axis=1)
    log_mean = ops.log_softmax(log_mean, axis=-1)
    return -ops.sum(ops.exp(log_mean) * log_mean, axis=-1)
