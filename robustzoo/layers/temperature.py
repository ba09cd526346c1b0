"""The temperature layer."""

import keras
from keras import ops

from robustzoo.check_number import check_number


@keras.saving.register_keras_serializable("robustzoo")
class Temperature(keras.layers.Layer):
    """Z / T of the logits Z (B, L): softmax(Z / T) is softer for larger T.

    Papernot et al., 2016, arXiv:1511.04508.

    Args:
        temperature: T > 0.
    """

    def __init__(self, temperature: float = 1.0, **options):
        super().__init__(**options)
        check_number("temperature", temperature, "> 0")
        self.temperature = temperature

    def call(self, logits):
        return ops.divide(logits, self.temperature)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "temperature": self.temperature}
