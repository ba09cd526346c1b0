"""The largest radius that is proved of each image."""

import keras
import numpy as np

from robustzoo.certification.bounds import MEMORY
from robustzoo.certification.certifier import Certifier
from robustzoo.certification.certify import TOLERANCE
from robustzoo.certification.methods import chosen
from robustzoo.checks import check_data
from robustzoo.threats import Linf


def certified_radius(
    model: keras.Model,
    images,
    labels,
    norm: type = Linf,
    method: str = "crown-ibp",
    *,
    largest: float = 1.0,
    steps: int = 12,
    clip: bool = True,
    tolerance: float = TOLERANCE,
    batch_size: int = 100,
    memory: int = MEMORY,
) -> np.ndarray:
    """The largest eps up to `largest` at which `certify` was seen to succeed, (N,), by bisection.

    A proof at eps is one for all that is smaller. The bounds need not shrink with eps step by step,
    so a larger radius than found might be provable; the one found is. 0 for images misclassified.

    Args:
        norm: `Linf`, `L2` or `L1`.
        method: one of `METHODS`.
        steps: halvings; the radius found is off by at most largest / 2^steps.
    """
    (name,) = chosen([method])
    images, labels = check_data(model, images, labels)
    if not 0 < largest < float("inf"):
        raise ValueError(f"largest must be a finite number > 0. Received: {largest!r}")
    certifier = Certifier(model, norm, clip, memory=memory)
    radii = np.zeros(len(images))
    for begin in range(0, len(images), batch_size):
        rows = np.s_[begin : begin + batch_size]
        radii[rows] = _bisect(
            certifier, name, images[rows], labels[rows], largest, steps, tolerance
        )
    return radii


def _bisect(certifier, name, images, labels, largest, steps, tolerance):
    logits = certifier.logits(images)
    correct, scale = logits.argmax(1) == labels, np.abs(logits).max(1)

    def proved(eps):
        margins = certifier.margins(name, images, labels, eps).min(axis=1)
        return correct & (margins > tolerance * scale)

    low, high = np.zeros(len(images)), np.full(len(images), float(largest))
    low[proved(high)] = largest
    for _ in range(steps):
        middle = (low + high) / 2.0
        sure = proved(middle)
        low, high = np.where(sure, middle, low), np.where(sure, high, middle)
    return low
