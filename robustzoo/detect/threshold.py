"""The threshold of a detector."""

import numpy as np

from robustzoo.detect._scores import check_scores


def threshold(scores: np.ndarray, false_positive_rate: float) -> float:
    """The largest of the clean `scores` (N,) below which lies no more than such a share of them.

    A detector rejects what scores less, so that is the share of clean images it rejects; data that
    neither the model nor the detector was trained on give an honest one.

    Args:
        scores: of clean images.
        false_positive_rate: in [0, 1).
    """
    scores = np.sort(check_scores("scores", scores))
    if not 0 <= false_positive_rate < 1:
        raise ValueError(
            "false_positive_rate must lie in [0, 1). "
            f"Received: false_positive_rate={false_positive_rate!r}"
        )
    # 1e-9: 0.29 * 100 is 28.999999999999996.
    return float(scores[int(false_positive_rate * len(scores) + 1e-9)])
