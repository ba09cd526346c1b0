"""The layer that adds rejection to the classes."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("robustzoo")
class Rejection(keras.layers.Layer):
    """[Z, max_j Z_j + t - s] of [logits Z (B, L), score s (B,)], (B, L + 1).

    The last class wins where s < t, the threshold, which is a weight that no training changes.
    Carlini & Wagner, 2017, arXiv:1705.07263.
    """

    def build(self, input_shape):
        self.threshold = self.add_weight(
            shape=(), initializer="zeros", trainable=False, name="threshold"
        )

    def call(self, inputs):
        logits, score = inputs
        largest = ops.max(logits, axis=-1, keepdims=True)
        return ops.concatenate([logits, largest + self.threshold - score[:, None]], axis=-1)

    def compute_output_shape(self, input_shape):
        logits, _ = input_shape
        return (*logits[:-1], logits[-1] + 1)
