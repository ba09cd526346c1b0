"""Mixup training, and with an attack interpolated adversarial training (IAT)."""

import keras
from keras import ops

from robustzoo.attacks import PGD
from robustzoo.backend import BACKEND
from robustzoo.check_number import check_number
from robustzoo.defenses.base import Defense


class MixupTraining(Defense):
    """m(x) = s CE(f(z), y) + (1 - s) CE(f(z), y') with z = s x + (1 - s) x', s ~ Beta(a, a).

    x', y' are examples of the same batch in a random order, s is drawn per example (Zhang et al.,
    2018, arXiv:1710.09412). With an attack it is m(x) / 2 + m(x_adv) / 2, each with an order and
    shares of its own (IAT; Lamb et al., 2019, arXiv:1906.06784).

    Args:
        alpha: a > 0; 1 draws s uniformly.
    """

    def __init__(
        self,
        classifier: keras.Model,
        attack: PGD | None = None,
        *,
        alpha: float = 1.0,
        **options,
    ):
        check_number("alpha", alpha, "> 0")
        super().__init__(classifier, attack, **options)
        self.alpha = alpha

    def compile(self, optimizer="rmsprop", jit_compile="auto", **options):
        """As `Defense.compile`; "auto" leaves out XLA where it has no Beta distribution."""
        if jit_compile == "auto" and self.alpha != 1.0 and BACKEND == "tensorflow":
            jit_compile = False
        super().compile(optimizer, jit_compile, **options)

    def objective(self, x, x_adv, y):
        losses = self._mixed(x, y)
        if self.attack is not None:
            losses = 0.5 * losses + 0.5 * self._mixed(x_adv, y)
        return losses, None, None  # no logits of images that have one label

    def _mixed(self, x, y):
        count = ops.shape(x)[0]
        order = ops.argsort(keras.random.uniform((count,), dtype="float32", seed=self.seeds))
        share = self._shares(count)
        wide = ops.reshape(share, (-1, 1, 1, 1))
        logits = self.logits(wide * x + (1.0 - wide) * ops.take(x, order, axis=0))
        own, other = self.criterion(y, logits), self.criterion(ops.take(y, order, axis=0), logits)
        share = ops.cast(share, own.dtype)
        return share * own + (1.0 - share) * other

    def _shares(self, count):
        if self.alpha == 1.0:  # Beta(1, 1), and unlike Beta it compiles under TensorFlow's XLA
            return keras.random.uniform((count,), dtype="float32", seed=self.seeds)
        return keras.random.beta((count,), self.alpha, self.alpha, "float32", seed=self.seeds)
