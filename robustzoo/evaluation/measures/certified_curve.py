"""Certified accuracy against the size of the budget."""

from collections.abc import Sequence

import keras
import numpy as np

from robustzoo.certification import certify
from robustzoo.evaluation.measures._ascending import ascending
from robustzoo.threats import Linf


def certified_curve(
    model: keras.Model,
    images: np.ndarray,
    labels: np.ndarray,
    eps: Sequence[float],
    norm: type = Linf,
    methods: str | Sequence[str] = ("ibp", "crown-ibp"),
) -> np.ndarray:
    """Share of the examples that `methods` certify within every eps (K,).

    A proof within a budget is one within every smaller budget. So the largest comes first, each
    eps sees only the examples that those before it left, and the curve never rises.

    Args:
        images, labels: float32 (N, H, W, C) in [0, 1] and integers (N,).
        eps: ascending, in `norm`.
        methods: see `certify`.
    """
    eps = ascending(eps)
    proved, shares = np.zeros(len(images), bool), []
    for each in eps[::-1].tolist():
        rows = np.flatnonzero(~proved)
        if len(rows):
            threat = norm(each)
            proof = certify(model, images[rows], labels[rows], threat, methods, cascade=True)
            proved[rows] = proof.certified
        shares.append(proved.mean())
    return np.array(shares[::-1])
