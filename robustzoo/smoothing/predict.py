"""What the smoothed classifier answers."""

import keras
import numpy as np

from robustzoo.checks import check_images
from robustzoo.smoothing._checks import check
from robustzoo.smoothing._votes import votes
from robustzoo.smoothing.base_classifier import base_classifier


def predict(
    model: keras.Model,
    images,
    sigma: float,
    draws: int = 1000,
    alpha: float = 0.001,
    *,
    seed: int = 0,
    batch_size: int = 500,
) -> np.ndarray:
    """g(x) = argmax_c P(f(x + N(0, sigma^2 I)) = c) of each image, -1 where it abstains, (N,).

    An answer is wrong about g with probability at most alpha: the two most frequent classes must
    differ in a two-sided binomial test at level alpha. Cohen et al., 2019, arXiv:1902.02918.

    Args:
        model: f, from images to logits, trained with such noise; see `base_classifier`.
        images: float (N, H, W, C) in [0, 1]; the noisy ones are not clipped.
        sigma: standard deviation of the noise, in pixels of [0, 1].
    """
    from scipy import stats

    check(sigma, alpha, seed, draws=draws, batch_size=batch_size)
    images = check_images(images, model.input_shape[1:])
    (counts,), _ = votes(base_classifier(model), images, sigma, (draws,), seed, batch_size)
    second, first = np.partition(counts, -2, axis=1)[:, -2:].T
    # Twice the upper tail: the binomial of probability 1/2 is symmetric.
    sure = 2 * stats.binom.sf(first - 1, first + second, 0.5) <= alpha
    return np.where(sure, counts.argmax(axis=1), -1)
