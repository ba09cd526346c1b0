"""Training for randomised smoothing."""

import dataclasses

import keras
from keras import ops

from robustzoo.check_number import check_number
from robustzoo.defenses.base import Defense


class NoiseTraining(Defense):
    """CE(f(x + e), y) with fresh e ~ N(0, sigma^2 I), not clipped to [0, 1].

    Makes the base classifier of `robustzoo.smoothing`, with the same sigma. `robust_accuracy` is
    that on noisy images, in `evaluate` too where no `validation_attack` is given. Lecuyer et al.,
    2019, arXiv:1802.03471; Cohen et al., 2019, arXiv:1902.02918.

    Args:
        sigma: in pixels of [0, 1]; it grows over `warmup_steps`.
    """

    def __init__(self, classifier: keras.Model, *, sigma: float, **options):
        check_number("sigma", sigma, "> 0")
        super().__init__(classifier, _Gaussian(sigma), **options)

    def objective(self, x, x_adv, y):
        logits = self.logits(x_adv)
        return self.criterion(y, logits), None, logits


@dataclasses.dataclass(frozen=True)
class _Gaussian:
    """Noise where other defenses have an attack."""

    sigma: float

    def scaled(self, factor):
        return _Gaussian(self.sigma * factor)

    def __call__(self, model, x, y, seed=0, training=False):
        return x + self.sigma * keras.random.normal(ops.shape(x), dtype=x.dtype, seed=seed)
