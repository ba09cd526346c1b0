"""The layer that averages the probabilities of several predictions."""

import math

import keras
from keras import ops


@keras.saving.register_keras_serializable("robustzoo")
class LogMeanProbability(keras.layers.Layer):
    """log (1/K) sum_k softmax(z_k) of the logits (B, K, L) of K predictions, shape (B, L).

    A logarithm of probabilities is logits again: its softmax is the mean probability.
    """

    def call(self, logits):
        total = ops.logsumexp(ops.log_softmax(logits, axis=-1), axis=1)
        return total - math.log(logits.shape[1])

    def compute_output_shape(self, input_shape):
        return input_shape[0], input_shape[2]
