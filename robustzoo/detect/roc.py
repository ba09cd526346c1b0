"""How well a detector tells clean from adversarial images."""

import dataclasses

import numpy as np

from robustzoo.detect._scores import check_scores
from robustzoo.detect.base import Detector
from robustzoo.detect.pairs import pairs


@dataclasses.dataclass(frozen=True)
class ROC:
    """Receiver operating characteristic; a positive is what is rejected, score < threshold.

    Args:
        clean, adversarial: scores (N,) and (M,).
    """

    clean: np.ndarray
    adversarial: np.ndarray

    def __post_init__(self):
        for name in ("clean", "adversarial"):
            object.__setattr__(self, name, check_scores(name, getattr(self, name)))

    def points(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Thresholds, false-positive and true-positive rates, each (K,), from (0, 0) to (1, 1)."""
        thresholds = np.unique(np.concatenate([self.clean, self.adversarial]))
        thresholds = np.append(thresholds, np.inf)
        rates = [
            np.searchsorted(np.sort(scores), thresholds, side="left") / len(scores)
            for scores in (self.clean, self.adversarial)
        ]
        return thresholds, *rates

    @property
    def auc(self) -> float:
        """Area under the curve: how often a clean score exceeds an adversarial one; ties half."""
        _, false_positives, true_positives = self.points()
        return float(np.trapezoid(true_positives, false_positives))


def roc(
    detector: Detector,
    images: np.ndarray,
    labels: np.ndarray,
    adversarial: np.ndarray,
    batch_size: int = 128,
) -> ROC:
    """The curve of `detector` over all pairs of an image and its adversarial one.

    Only pairs count of which the model gets the clean one right and the adversarial one wrong, as
    in Pang et al., 2018, arXiv:1706.00633. ValueError if there is none.

    Args:
        images, adversarial: (N, H, W, C) in [0, 1], in the same order.
        labels: true classes (N,).
    """
    detector.fitted()
    rows = pairs(detector.model, images, labels, adversarial, batch_size)
    if not rows.any():
        raise ValueError("no image is right when clean and wrong when attacked; AUC needs one")
    scores = [detector.score(part[rows], batch_size) for part in (images, adversarial)]
    return ROC(*scores)
