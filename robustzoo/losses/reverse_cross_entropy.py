"""Reverse cross-entropy."""

import keras
from keras import ops

from robustzoo.losses._labels import labels, nan_unless_class


def reverse_cross_entropy(y, logits):
    """-1 / (L - 1) sum_{j != y} log softmax(-logits)_j, shape (B,).

    `logits` (B, L) are those of the deployed model, which ends with `layers.ReverseLogits`: in the
    paper's terms they are -Z, and softmax(Z) is pulled to the uniform distribution over all
    classes but `y` (B,). Pang et al., 2018, arXiv:1706.00633.
    """
    classes = logits.shape[-1]
    others = 1.0 - ops.one_hot(y, classes, dtype=logits.dtype)
    losses = -ops.sum(others * ops.log_softmax(-logits), axis=-1) / (classes - 1)
    return nan_unless_class(losses, y, classes)


@keras.saving.register_keras_serializable("robustzoo")
class ReverseCrossEntropy(keras.losses.Loss):
    """`reverse_cross_entropy` for `model.compile(loss=...)`."""

    def call(self, y_true, y_pred):
        return reverse_cross_entropy(labels(y_true), y_pred)
