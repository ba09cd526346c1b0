"""Training with the centre loss."""

import keras
from keras import ops

from robustzoo.architectures._last_dense import last_dense
from robustzoo.attacks import PGD
from robustzoo.check_number import check_number
from robustzoo.defenses.base import Defense
from robustzoo.losses import center_loss
from robustzoo.single_precision import single_precision


class CenterLossTraining(Defense):
    """CE(f(x), y) + w ||h(x) - c_y||^2 / 2, with h the input of the last Dense layer.

    The centres c_l are no parameters: after each step, with n_l examples of class l in the batch,
    c_l <- c_l - r sum_{y = l} (c_l - h(x)) / (1 + n_l). They start at 0. Wen et al., 2016, "A
    discriminative feature learning approach for deep face recognition".

    Args:
        classifier: ends with a Dense layer of logits.
        attack: None trains on clean examples, as the paper does; else on adversarial ones alone.
        weight: w >= 0, the paper's lambda; 0.01 on MNIST.
        rate: r in [0, 1], the paper's alpha.
    """

    def __init__(
        self,
        classifier: keras.Model,
        attack: PGD | None = None,
        *,
        weight: float = 0.01,
        rate: float = 0.5,
        **options,
    ):
        check_number("weight", weight, ">= 0")
        check_number("rate", rate, "in [0, 1]")
        last = last_dense(classifier)
        super().__init__(classifier, attack, **options)
        self.weight, self.rate = weight, rate
        outputs = [last.input, classifier.outputs[0]]
        self.features_and_logits = keras.Model(classifier.inputs[0], outputs)
        self.centers = self.add_weight(
            name="centers",
            shape=(last.units, last.input.shape[-1]),
            initializer="zeros",
            dtype="float32",
            trainable=False,
            aggregation="mean",  # of the replicas, each of which sees a part of the batch
        )

    def objective(self, x, x_adv, y):
        features, logits = self.features_and_logits(x_adv, training=True)
        logits = single_precision(logits)
        features = ops.cast(features, logits.dtype)
        centers = ops.cast(self.centers, logits.dtype)
        losses = self.criterion(y, logits) + self.weight * center_loss(y, features, centers)
        self.centers.assign(self._moved(centers, ops.stop_gradient(features), y))
        return (losses, logits, None) if self.attack is None else (losses, None, logits)

    def _moved(self, centers, features, y):
        own = ops.one_hot(y, centers.shape[0], dtype=centers.dtype)  # (B, L)
        counts = ops.sum(own, axis=0)[:, None]
        gaps = counts * centers - ops.matmul(ops.transpose(own), features)
        return centers - self.rate * gaps / (1.0 + counts)
