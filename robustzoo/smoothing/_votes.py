"""How often a classifier gives each class to noisy copies of an image."""

from collections.abc import Callable, Iterator, Sequence

import keras
import numpy as np

from robustzoo.forward import forward


def votes(
    model: keras.Model,
    images: np.ndarray,
    sigma: float,
    draws: Sequence[int],
    seed: int,
    batch_size: int,
    advance: Callable[[int], None] = lambda count: None,
) -> np.ndarray:
    """Counts (len(draws), N, classes) of argmax f(x + N(0, sigma^2 I)), none of a draw twice.

    The noise is not clipped. That of image i comes from (seed, i) alone: it depends on neither the
    batch size nor the backend.

    Args:
        images: checked float32 (N, H, W, C).
        draws: so many for each of the counts.
        advance: called with the number of images just finished.
    """
    total = sum(draws)
    counts = np.zeros((len(draws), len(images), model.output_shape[-1]), int)
    which = np.repeat(np.arange(len(draws)), draws)
    batch_size, begin = min(batch_size, len(images) * total), 0
    for batch in _noisy(images, sigma, total, seed, batch_size):
        image, draw = np.divmod(np.arange(begin, begin + batch_size), total)
        real = image < len(images)  # the last batch is filled up
        found = forward(model, batch, batch_size).argmax(axis=-1)
        np.add.at(counts, (which[draw[real]], image[real], found[real]), 1)
        advance(int(np.sum(draw[real] == total - 1)))
        begin += batch_size
    return counts


def _noisy(images, sigma, draws, seed, batch_size) -> Iterator[np.ndarray]:
    """Batches of one size of all draws of the first image, then of the second, and so on."""
    batch, filled = np.zeros((batch_size, *images.shape[1:]), "float32"), 0
    for index, image in enumerate(images):
        generator, left = np.random.default_rng([seed, index]), draws
        while left:
            count = min(left, batch_size - filled)
            noise = generator.standard_normal((count, *image.shape), "float32")
            batch[filled : filled + count] = image + sigma * noise
            filled, left = filled + count, left - count
            if filled == batch_size:
                yield batch
                batch, filled = np.zeros_like(batch), 0
    if filled:
        yield batch
