"""How well a detector tells clean from adversarial images."""

import dataclasses

import numpy as np

from robustzoo.detect._scores import check_scores
from robustzoo.detect.base import Detector
from robustzoo.detect.pairs import pairs


@dataclasses.dataclass(frozen=True)
class ROC:
    """Receiver operating characteristic; a positive is what is rejected, of low score.

    Args:
        clean, adversarial: scores (N,) and (M,).
    """

    clean: np.ndarray
    adversarial: np.ndarray

    def __post_init__(self):
        for name in ("clean", "adversarial"):
            object.__setattr__(self, name, check_scores(name, getattr(self, name)))

    def points(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Thresholds t, and the shares of clean and adversarial scores <= t, each (K,).

        From none to all: t = -inf comes first. Needs scikit-learn, of the extra `detect`.
        """
        from sklearn.metrics import roc_curve

        false_positives, true_positives, thresholds = roc_curve(
            *self._labelled(), drop_intermediate=False
        )
        return -thresholds, false_positives, true_positives

    @property
    def auc(self) -> float:
        """Area under the curve: how often a clean score exceeds an adversarial one; ties half."""
        from sklearn.metrics import roc_auc_score

        return float(roc_auc_score(*self._labelled()))

    def _labelled(self):
        """1 for adversarial, 0 for clean; and how much each is rejected."""
        truth = np.repeat([0, 1], [len(self.clean), len(self.adversarial)])
        return truth, -np.concatenate([self.clean, self.adversarial])


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
