"""L2 radii of the smoothed classifier."""

import math
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from robustzoo.checks import check_data
from robustzoo.smoothing._checks import check
from robustzoo.smoothing._votes import votes
from robustzoo.smoothing.base_classifier import base_classifier
from robustzoo.smoothing.smoothed_certificate import SmoothedCertificate


def certify_smoothed(
    model: keras.Model,
    images,
    labels,
    sigma: float,
    n: int = 1000,
    alpha: float = 0.001,
    *,
    n0: int = 100,
    seed: int = 0,
    batch_size: int = 500,
    journal: str | Path | None = None,
    advance: Callable[[int], None] = lambda count: None,
) -> SmoothedCertificate:
    """Radii within which g(x) = argmax_c P(f(x + N(0, sigma^2 I)) = c) stays the same.

    n0 draws choose a class, n fresh ones count its k hits; p is the lower bound of its probability
    (`lower_bound`). With probability 1 - alpha for each image, g is constant for all changes of
    L2 size below sigma Phi^-1(p); where p <= 1/2 there is no answer. Cohen et al., 2019,
    arXiv:1902.02918. No radius exceeds sigma Phi^-1(alpha^(1/n)): 2.46 sigma for n = 1,000 and
    3.81 sigma for 100,000, at alpha = 0.001.

    Args:
        model: f, from images to logits, trained with such noise; see `base_classifier`.
        images, labels: float (N, H, W, C) in [0, 1], and integers (N,).
        sigma: standard deviation of the noise, in pixels of [0, 1]; noisy images are not clipped.
        seed: of the noise; that of an image depends on its place in `images` and nothing else.
        journal: folder that keeps what is done, so that the same call goes on after an
            interruption; None keeps nothing.
        advance: called with the number of images just finished, for a progress bar.
    """
    check(sigma, alpha, seed, n=n, n0=n0, batch_size=batch_size)
    if alpha ** (1 / n) <= 0.5:  # not even n hits of n
        least = math.floor(math.log(alpha) / math.log(0.5)) + 1
        raise ValueError(f"at alpha {alpha} n must be at least {least}. Received: n={n}")
    images, labels = check_data(model, images, labels)
    base = base_classifier(model)
    found, seconds = votes(base, images, sigma, (n0, n), seed, batch_size, journal, advance)
    chosen, counts = found
    classes = chosen.argmax(axis=1)
    hits = counts[np.arange(len(images)), classes]
    return SmoothedCertificate(sigma, n0, n, alpha, seed, labels, classes, hits, seconds)
