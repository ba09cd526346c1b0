"""Joint training of an ensemble whose members err differently (ADP)."""

import keras

from robustzoo.attacks import PGD
from robustzoo.checks import check_classifier
from robustzoo.defenses.base import Defense
from robustzoo.defenses.random_eps import RandomEps
from robustzoo.layers import LogMeanProbability
from robustzoo.losses import adp
from robustzoo.losses.adp import check_weights
from robustzoo.single_precision import single_precision


class AdaptiveDiversity(Defense):
    """sum_k CE(z_k, y) - alpha `ensemble_entropy` - beta `log_diversity` of the members' z_k.

    With an attack, which sees the mean prediction, the loss is that on clean plus that on
    adversarial images. alpha = beta = 0 is the baseline: members trained side by side.

    Pang et al., 2019, arXiv:1901.08846.

    Args:
        classifier: of `architectures.ensemble`.
        attack: None for none.
        alpha: weight of the entropy; the paper's 2.
        beta: weight of the diversity; the paper's 0.5. It needs no more members than classes
            less one, and an even share of these (3 members for 10 classes) to have an optimum.
    """

    def __init__(
        self,
        classifier: keras.Model,
        attack: PGD | RandomEps | None = None,
        *,
        alpha: float = 2.0,
        beta: float = 0.5,
        **options,
    ):
        check_weights(alpha, beta)
        check_classifier(classifier)
        mean = classifier.layers[-1]
        members = any(layer.name.startswith("member1_") for layer in classifier.layers)
        if not members or not isinstance(mean, LogMeanProbability):
            raise ValueError(
                "classifier must be an ensemble, of robustzoo.architectures.ensemble. "
                f"Received: {classifier.name!r}, whose last layer is {mean!r}"
            )
        super().__init__(classifier, attack, **options)
        self.members = keras.Model(classifier.input, mean.input)
        self.alpha, self.beta = alpha, beta

    def objective(self, x, x_adv, y):
        losses, clean = self._judged(x, y)
        if self.attack is None:
            return losses, clean, None
        more, adversarial = self._judged(x_adv, y)
        return losses + more, clean, adversarial

    def _judged(self, x, y):
        logits = single_precision(self.members(x, training=True))
        losses = adp(y, logits, self.alpha, self.beta, self.criterion)
        return losses, self.classifier.layers[-1](logits)
