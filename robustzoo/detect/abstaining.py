"""A model whose last class is rejection."""

import math
import numbers

import keras

from robustzoo.detect.base import Detector
from robustzoo.layers import Rejection


def abstaining(detector: Detector, threshold: float) -> keras.Model:
    """The detector's model with one logit more, which wins where score < threshold.

    It is max_j z_j + threshold - score (`layers.Rejection`), so gradients pass through the
    detector, and an attack on this model knows it. `robustzoo.evaluate` takes what is rejected for
    withstood, and attacks such a model by the suite "evasion". A targeted attack succeeds
    only where its class is predicted and accepted. `attacks.CarliniWagner(targeted=True)` adds
    c max(0, max_{j != t} z_j - z_t) + c max(0, threshold - score) to the squared distance, from
    where the class flips on the larger of the two; for `KernelDensity` that is C&W-wb of Pang et
    al., 2018, arXiv:1706.00633. An untargeted attack would take rejection for success: give it
    `loss=evasion`.

    It is kept as a model folder (`zoo.save`, `architectures.abstaining`), not as a .keras file. A
    `KernelDensity` then needs `per_class` training images of some class, or a lower `per_class`.

    Args:
        detector: fitted.
        threshold: in units of the score.
    """
    if not isinstance(threshold, numbers.Real) or not math.isfinite(threshold):
        raise ValueError(f"threshold must be a finite number. Received: {threshold!r}")
    model = with_rejection(detector.model, detector.fitted())
    model.get_layer("rejection").threshold.assign(threshold)
    return model


def with_rejection(model: keras.Model, scorer: keras.Model) -> keras.Model:
    """`abstaining` by a `scorer` that shares the input of `model`, at the threshold 0."""
    logits, score = model.outputs[0], scorer.outputs[0]
    outputs = Rejection(dtype="float32", name="rejection")([logits, score])
    return keras.Model(scorer.inputs[0], outputs, name="abstaining")
