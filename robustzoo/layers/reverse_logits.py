"""The reverse logits layer."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("robustzoo")
class ReverseLogits(keras.layers.Layer):
    """-Z of the logits Z (B, L): the last layer of a net trained with `reverse_cross_entropy`.

    Such a net makes the logit of the true class the lowest, so softmax(-Z) is its prediction.
    Pang et al., 2018, arXiv:1706.00633.
    """

    def call(self, logits):
        return ops.negative(logits)

    def compute_output_shape(self, input_shape):
        return input_shape
