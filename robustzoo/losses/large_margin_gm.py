"""Large-margin Gaussian mixture loss."""

import keras
from keras import ops

from robustzoo.check_number import check_number
from robustzoo.losses._labels import labels
from robustzoo.losses.cross_entropy import cross_entropy
from robustzoo.losses.mmc import mmc


def large_margin_gm(y, logits, margin: float = 0.3, likelihood: float = 0.1):
    """CE over -d_l (1 + a 1[l = y]) + b d_y, shape (B,), with d_l = ||z - mu_l||^2 / 2 = -logit_l.

    `logits` (B, L) are those of `layers.CenterLogits`, whose centres the loss can learn; labels
    `y` are (B,). Wan et al., 2018, arXiv:1803.02988, with the identity as covariance.

    Args:
        margin: a >= 0.
        likelihood: b >= 0, weight of the likelihood.
    """
    own = ops.one_hot(y, logits.shape[-1], dtype=logits.dtype)
    return cross_entropy(y, logits * (1.0 + margin * own)) + likelihood * mmc(y, logits)


@keras.saving.register_keras_serializable("robustzoo")
class LargeMarginGM(keras.losses.Loss):
    """`large_margin_gm` for `model.compile(loss=...)`."""

    def __init__(self, margin: float = 0.3, likelihood: float = 0.1, **options):
        check_number("margin", margin, ">= 0")
        check_number("likelihood", likelihood, ">= 0")
        super().__init__(**options)
        self.margin, self.likelihood = margin, likelihood

    def call(self, y_true, y_pred):
        return large_margin_gm(labels(y_true), y_pred, self.margin, self.likelihood)

    def get_config(self):
        return super().get_config() | {"margin": self.margin, "likelihood": self.likelihood}
