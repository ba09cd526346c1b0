"""Cross-entropy."""

import keras
from keras import ops

from robustzoo.losses._labels import nan_unless_class


def cross_entropy(y, logits, label_smoothing: float = 0.0):
    """-(1 - s) log p_y - (s / L) sum_j log p_j with p = softmax(logits), shape (B,).

    Args:
        y: integer labels (B,).
        logits: (B, L).
        label_smoothing: s in [0, 1) (Szegedy et al., 2016, arXiv:1512.00567).
    """
    losses = keras.losses.sparse_categorical_crossentropy(y, logits, from_logits=True)
    # TensorFlow has raised an error by now, or made it NaN; JAX has not.
    losses = nan_unless_class(losses, ops.reshape(y, ops.shape(losses)), logits.shape[-1])
    if label_smoothing:
        uniform = -ops.mean(ops.log_softmax(logits), axis=-1)
        losses = (1.0 - label_smoothing) * losses + label_smoothing * uniform
    return losses
