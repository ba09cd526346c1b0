"""Exact adversarial training of a linear classifier."""

import dataclasses
import math

import keras
import numpy as np
from keras import ops

from robustzoo.attacks import fgsm
from robustzoo.defenses.base import Defense
from robustzoo.losses import linear_worst_case
from robustzoo.single_precision import single_precision
from robustzoo.threats import L1, L2, Linf


class ExactLinear(Defense):
    """min_w max over ||d|| <= eps of CE(W (x + d) + b, y), the maximum in closed form.

    `losses.robust_linear`: exact for two classes, an upper bound for more; x + d may leave [0, 1],
    where a true adversary may not. The `robust_accuracy` of `fit` is exact for any number of
    classes in that sense; `evaluate` reports that of `validation_attack`, which stays in [0, 1], by
    default `fgsm(threat)`. Kolter & Madry, 2018, "Adversarial robustness: theory and practice",
    chapter 2.

    Args:
        classifier: `architectures.linear`, or one Dense layer on images flattened and rescaled.
        threat: eps and its norm.
    """

    attacked = False  # by an attack of its own

    def __init__(self, classifier: keras.Model, *, threat: Linf | L2 | L1, **options):
        options["validation_attack"] = options.get("validation_attack") or fgsm(threat)
        super().__init__(classifier, **options)
        self.threat = threat
        self.dense, self.scale = _parts(classifier)

    def objective(self, x, x_adv, y):
        clean = self.logits(x)
        threat = dataclasses.replace(self.threat, eps=self.threat.eps * self.warmup())
        worst = linear_worst_case(y, clean, self._kernel(), threat)
        return self.criterion(y, worst), clean, worst

    def _kernel(self):
        """(d, L), with respect to the image before its normalisation."""
        return ops.multiply(single_precision(self.dense.kernel), self.scale)


def _parts(classifier):
    """The Dense layer of `classifier`, and by what each of its inputs (d, 1) was multiplied."""
    inner = [part for part in classifier.layers if not isinstance(part, keras.layers.InputLayer)]
    *before, dense = inner
    linear = type(dense) is keras.layers.Dense and dense.activation is keras.activations.linear
    pixels = math.prod(classifier.input_shape[1:])
    plain = all(isinstance(p, keras.layers.Rescaling | keras.layers.Flatten) for p in before)
    if not linear or not plain or dense.kernel.shape[0] != pixels:
        raise ValueError(
            "classifier must be linear: Rescaling, Flatten, one Dense layer, no activation. "
            f"Received: {classifier.name} of {[type(part).__name__ for part in inner]}"
        )
    scale = np.ones(classifier.input_shape[1:], "float32")
    for part in before:
        if isinstance(part, keras.layers.Rescaling):
            scale = scale * np.asarray(part.scale, "float32")
    return dense, scale.reshape(-1, 1)
