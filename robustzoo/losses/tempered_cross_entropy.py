"""Cross-entropy at a temperature."""

import keras

from robustzoo.check_number import check_number
from robustzoo.losses._labels import labels
from robustzoo.losses.cross_entropy import cross_entropy


def tempered_cross_entropy(y, logits, temperature: float = 1.0):
    """-log softmax(Z / T)_y of logits Z (B, L) and labels y (B,), shape (B,).

    What the teacher of defensive distillation is trained with (Papernot et al., 2016,
    arXiv:1511.04508).

    Args:
        temperature: T > 0.
    """
    return cross_entropy(y, logits / temperature)


@keras.saving.register_keras_serializable("robustzoo")
class TemperedCrossEntropy(keras.losses.Loss):
    """`tempered_cross_entropy` for `model.compile(loss=...)`."""

    def __init__(self, temperature: float = 1.0, **options):
        super().__init__(**options)
        check_number("temperature", temperature, "> 0")
        self.temperature = temperature

    def call(self, y_true, y_pred):
        return tempered_cross_entropy(labels(y_true), y_pred, self.temperature)

    def get_config(self):
        return {**super().get_config(), "temperature": self.temperature}
