"""Confidence."""

from keras import ops

from robustzoo.detect.base import Detector
from robustzoo.losses._own import rivals


class Confidence(Detector):
    """log(p / (1 - p)) of the largest probability p of softmax(logits).

    It orders inputs as p does, where float32 would round p to 1: z_(1) - logsumexp of the other
    logits. There is nothing to fit. Hendrycks & Gimpel, 2017, arXiv:1610.02136.

    Args:
        model: from images in [0, 1] to logits (B, L).
    """

    def __init__(self, model):
        super().__init__(model)
        self.use({})

    def values(self, arrays, logits):
        others = ops.logsumexp(rivals(logits, ops.argmax(logits, axis=-1)), axis=-1)
        return ops.max(logits, axis=-1) - others
