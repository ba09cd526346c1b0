"""The loss of adaptive diversity promoting training."""

from collections.abc import Callable

import keras
from keras import ops

from robustzoo.check_number import check_number
from robustzoo.losses._labels import labels
from robustzoo.losses.cross_entropy import cross_entropy
from robustzoo.losses.ensemble_entropy import ensemble_entropy
from robustzoo.losses.log_diversity import log_diversity


def adp(y, logits, alpha: float = 2.0, beta: float = 0.5, criterion: Callable = cross_entropy):
    """sum_k CE(z_k, y) - alpha `ensemble_entropy` - beta `log_diversity`, shape (B,).

    Pang et al., 2019, arXiv:1901.08846; their baseline has alpha = beta = 0.

    Args:
        y: integer labels (B,).
        logits: of the K members (B, K, L), or (B, L) of one.
        alpha, beta: at least 0.
        criterion: (y, logits of one member) -> losses (B,) in place of cross-entropy.
    """
    check_weights(alpha, beta)
    if len(logits.shape) == 2:
        logits = logits[:, None]
    losses = sum(criterion(y, member) for member in ops.unstack(logits, axis=1))
    if alpha:
        losses = losses - alpha * ensemble_entropy(logits)
    if beta:
        losses = losses - beta * log_diversity(y, logits)
    return losses


@keras.saving.register_keras_serializable("robustzoo")
class ADP(keras.losses.Loss):
    """`adp` for `model.compile(loss=...)` of a model whose output is the members' logits."""

    def __init__(self, alpha: float = 2.0, beta: float = 0.5, name: str = "adp", **options):
        super().__init__(name=name, **options)
        check_weights(alpha, beta)
        self.alpha, self.beta = alpha, beta

    def call(self, y_true, y_pred):
        return adp(labels(y_true), y_pred, self.alpha, self.beta)

    def get_config(self):
        return super().get_config() | {"alpha": self.alpha, "beta": self.beta}


def check_weights(alpha: float, beta: float) -> None:
    """Raises ValueError unless both are finite and at least 0."""
    check_number("alpha", alpha, ">= 0")
    check_number("beta", beta, ">= 0")
