"""Non-maximal entropy."""

from keras import ops

from robustzoo.detect.base import Detector


class NonMaximalEntropy(Detector):
    """-sum_{j != i} q_j log q_j, with q_j = p_j / (1 - p_i) and i the predicted class.

    p = softmax(logits). A net trained with reverse cross-entropy spreads what is left of a clean
    image evenly over the other classes; of two classes one is left, and the score is always 0.
    There is nothing to fit. Pang et al., 2018, arXiv:1706.00633.

    Args:
        model: from images in [0, 1] to logits (B, L).
    """

    def __init__(self, model):
        super().__init__(model)
        self.use({})

    def values(self, arrays, logits):
        largest = ops.one_hot(ops.argmax(logits, axis=-1), logits.shape[-1], dtype="bool")
        log_q = ops.log_softmax(ops.where(largest, -1e30, logits), axis=-1)
        # q log q is 0 at q = 0, but 0 times a huge logarithm would hide a slope that is not.
        log_q = ops.where(largest, 0.0, log_q)
        return -ops.sum(ops.where(largest, 0.0, ops.exp(log_q)) * log_q, axis=-1)
