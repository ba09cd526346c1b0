"""An attack whose budget is drawn anew for every batch."""

import dataclasses

import keras

from robustzoo.attacks import PGD
from robustzoo.check_number import check_number


@dataclasses.dataclass(frozen=True)
class RandomEps:
    """`attack` with eps and step size times one factor U(least, 1) for all images of a call.

        RandomEps(PGD(Linf(0.05), step_size=0.005, steps=10), least=0.2)  # eps in 0.01 .. 0.05

    Adversarial training at many budgets (Kurakin et al., 2017, arXiv:1611.01236).

    Args:
        attack: at the largest budget.
        least: smallest factor, in [0, 1].
    """

    attack: PGD
    least: float

    def __post_init__(self):
        check_number("least", self.least, "in [0, 1]")

    @property
    def threat(self):
        return self.attack.threat

    @property
    def targeted(self):
        """As that of `attack`."""
        return self.attack.targeted

    def scaled(self, factor):
        """The same with the largest budget times `factor`, which may be a tensor."""
        return dataclasses.replace(self, attack=self.attack.scaled(factor))

    def __call__(self, model, x, y, seed=0, training=False):
        """See `PGD`."""
        factor = keras.random.uniform((), self.least, 1.0, "float32", seed=seed)
        return self.attack.scaled(factor)(model, x, y, seed, training)
