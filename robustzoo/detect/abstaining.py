"""A model whose last class is rejection."""

import keras
from keras import ops

from robustzoo.detect.base import Detector


def abstaining(detector: Detector, threshold: float) -> keras.Model:
    """The detector's model with one logit more, which wins where score < threshold.

    It is max_j z_j + threshold - score (Carlini & Wagner, 2017, arXiv:1705.07263), so gradients
    pass through the detector, and an attack on this model knows it. A targeted attack succeeds
    only where its class is predicted and accepted. `attacks.CarliniWagner(targeted=True)` adds
    c max(0, max_{j != t} z_j - z_t) + c max(0, threshold - score) to the squared distance, from
    where the class flips on the larger of the two; for `KernelDensity` that is C&W-wb of Pang et
    al., 2018, arXiv:1706.00633. An untargeted attack would take rejection for success: give it
    `loss=evasion`.

    Args:
        detector: fitted.
        threshold: in units of the score.
    """
    scorer = detector.fitted()
    logits, score = detector.model.outputs[0], scorer.outputs[0]
    rejection = ops.max(logits, axis=-1, keepdims=True) + threshold - score[:, None]
    outputs = ops.concatenate([logits, rejection], axis=-1)
    return keras.Model(scorer.inputs[0], outputs, name="abstaining")
