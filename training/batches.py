"""The training set in batches, in an order that only the seed and the epoch decide."""

from collections.abc import Callable, Iterator

import numpy as np

from robustzoo.datasets import Split


def batches(
    split: Split,
    batch_size: int,
    augment: Callable | None,
    seed: int,
    epoch: int,
    first: int = 0,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields the full batches (images, labels) of an epoch from number `first` on.

    Order and augmentation of a batch depend on nothing but `seed`, `epoch` and its number, so an
    epoch that is resumed sees what it would have seen.
    """
    order = np.random.default_rng([seed, epoch]).permutation(len(split))
    for number in range(first, len(split) // batch_size):
        rows = order[number * batch_size : (number + 1) * batch_size]
        pixels = split.pixels[rows]
        if augment is not None:
            pixels = augment(pixels, np.random.default_rng([seed, epoch, number]))
        yield pixels.astype("float32") / np.float32(255), split.labels[rows]
