"""The largest radius that is proved of each image."""

from collections.abc import Callable, Sequence
from numbers import Integral

import keras
import numpy as np

from robustzoo.certification.bounds import MEMORY
from robustzoo.certification.certifier import Certifier
from robustzoo.certification.certify import TOLERANCE, check_options
from robustzoo.certification.methods import chosen
from robustzoo.checks import check_data
from robustzoo.threats import Linf


def certified_radius(
    model: keras.Model,
    images,
    labels,
    norm: type = Linf,
    method: str | Sequence[str] = "crown-ibp",
    *,
    largest: float = 1.0,
    steps: int = 12,
    clip: bool = True,
    tolerance: float = TOLERANCE,
    batch_size: int = 100,
    memory: int = MEMORY,
    seconds: float = 60.0,
    advance: Callable[[int, int], None] = lambda done, total: None,
) -> np.ndarray:
    """The largest eps up to `largest` at which `certify` was seen to succeed, (N,), by bisection.

    A proof at eps is one for all that is smaller. The bounds need not shrink with eps step by step,
    so a larger radius than found might be provable; the one found is. 0 for images misclassified.

    Args:
        norm: `Linf`, `L2` or `L1`.
        method: some of `METHODS`; each sees the images that those before it did not prove.
        steps: halvings; the radius found is off by at most largest / 2^steps.
        clip, tolerance, batch_size, memory, seconds: of `certify`.
        advance: called with the images done and their number.
    """
    names = chosen(method)
    check_options(tolerance, batch_size, memory, seconds)
    images, labels = check_data(model, images, labels)
    if not 0 < largest < float("inf"):
        raise ValueError(f"largest must be a finite number > 0. Received: {largest!r}")
    if not isinstance(steps, Integral) or steps < 1:
        raise ValueError(f"steps must be an integer >= 1. Received: {steps!r}")
    certifier = Certifier(model, norm, clip, memory, seconds)
    certifier.check(names)
    radii = np.zeros(len(images))
    for begin in range(0, len(images), batch_size):
        rows = np.s_[begin : begin + batch_size]
        radii[rows] = _bisect(
            certifier, names, images[rows], labels[rows], largest, steps, tolerance
        )
        advance(min(begin + batch_size, len(images)), len(images))
    return radii


def _bisect(certifier, names, images, labels, largest, steps, tolerance):
    correct, scale = certifier.answers(images, labels, tolerance, len(images))
    correct, least = correct & np.isfinite(scale), tolerance * scale
    classes = certifier.model.output_shape[-1]

    def proved(eps):
        best = np.full((len(images), classes), -np.inf)
        for name in names:
            at = np.flatnonzero(correct & (best.min(axis=1) <= least))
            if len(at):
                given = name, images[at], labels[at], eps[at], best[at], least[at, None]
                found = certifier.margins(*given)
                best[at] = np.maximum(best[at], found)
        return correct & (best.min(axis=1) > least)

    low, high = np.zeros(len(images)), np.full(len(images), float(largest))
    low[proved(high)] = largest
    for _ in range(steps):
        middle = (low + high) / 2.0
        sure = proved(middle)
        low, high = np.where(sure, middle, low), np.where(sure, high, middle)
    return low
