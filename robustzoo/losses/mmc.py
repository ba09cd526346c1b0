"""Max-Mahalanobis centre loss."""

import keras

from robustzoo.losses._labels import labels
from robustzoo.losses._own import own


def mmc(y, logits):
    """||z - mu_y||^2 / 2 = -logit_y of the `logits` (B, L) of `layers.CenterLogits`, shape (B,).

    It trains such a head with fixed centres, and it is the loss of the adaptive attack on it: the
    softmax of cross-entropy, whose gradient vanishes there, is not in it. Labels `y` are (B,).
    Pang et al., 2020, arXiv:1905.10626.
    """
    return -own(logits, y)


@keras.saving.register_keras_serializable("robustzoo")
class MMC(keras.losses.Loss):
    """`mmc` for `model.compile(loss=...)`."""

    def call(self, y_true, y_pred):
        return mmc(labels(y_true), y_pred)
