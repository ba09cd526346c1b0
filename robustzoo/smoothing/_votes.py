"""How often a classifier gives each class to noisy copies of an image."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import keras
import numpy as np

from robustzoo.forward import forward
from robustzoo.hashes import sha256
from robustzoo.journal import Journal

EVERY = 10.0  # seconds between two entries of the journal


def votes(
    model: keras.Model,
    images: np.ndarray,
    sigma: float,
    draws: Sequence[int],
    seed: int,
    batch_size: int,
    folder: str | Path | None = None,
    advance: Callable[[int], None] = lambda count: None,
) -> tuple[np.ndarray, float]:
    """Counts (len(draws), N, classes) of argmax f(x + N(0, sigma^2 I)), none of a draw twice.

    The noise is not clipped. That of image i comes from (seed, i) alone: it depends on neither the
    batch size nor the backend.

    Args:
        images: checked float32 (N, H, W, C).
        draws: so many for each of the counts.
        folder: of the journal; None keeps none.
        advance: called with the number of images just finished.

    Returns:
        The counts and the seconds they took, with those before an interruption.
    """
    facts = ["smoothing", sha256(images), float(sigma), list(draws), seed]
    journal = Journal(folder, model, facts, EVERY)
    counts = np.zeros((len(draws), len(images), model.output_shape[-1]), int)
    done, before = 0, 0.0
    if "counts" in journal:
        done, before = journal.get("counts").shape[1], float(journal.get("seconds"))
        counts[:, :done] = journal.get("counts")
        advance(done)
    start, which, total = time.monotonic(), np.repeat(np.arange(len(draws)), draws), sum(draws)
    first, batch_size = done * total, min(batch_size, (len(images) - done) * total)
    for batch in _noisy(images, done, sigma, total, seed, batch_size):
        image, draw = np.divmod(np.arange(first, first + batch_size), total)
        real = image < len(images)  # the last batch is filled up
        found = forward(model, batch, batch_size).argmax(axis=-1)
        np.add.at(counts, (which[draw[real]], image[real], found[real]), 1)
        first += batch_size
        finished = min(first // total, len(images))
        if finished > done:
            spent = np.array(before + time.monotonic() - start)
            journal.put({"counts": counts[:, :finished], "seconds": spent})
            advance(finished - done)
            done = finished
    journal.close()
    return counts, before + time.monotonic() - start


def _noisy(images, first, sigma, draws, seed, batch_size) -> Iterator[np.ndarray]:
    """Batches of one size of all draws of the `first` image, then of the second, and so on."""
    batch, filled = np.zeros((batch_size, *images.shape[1:]), "float32"), 0
    for index in range(first, len(images)):
        generator, left = np.random.default_rng([seed, index]), draws
        while left:
            count = min(left, batch_size - filled)
            noise = generator.standard_normal((count, *images.shape[1:]), "float32")
            batch[filled : filled + count] = images[index] + sigma * noise
            filled, left = filled + count, left - count
            if filled == batch_size:
                yield batch
                batch, filled = np.zeros_like(batch), 0
    if filled:
        yield batch
