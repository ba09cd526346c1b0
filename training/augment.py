"""Augmentations of one batch of images, in NumPy."""

import numpy as np


def crop_flip(images: np.ndarray, generator: np.random.Generator, pad: int = 4) -> np.ndarray:
    """Random crops out of images padded by `pad` zeros, half of them mirrored; same shape."""
    count, height, width, _ = images.shape
    padded = np.pad(images, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    top, left = generator.integers(0, 2 * pad + 1, (2, count))
    rows = top[:, None, None] + np.arange(height)[None, :, None]
    columns = np.tile(np.arange(width), (count, 1))
    mirrored = generator.random(count) < 0.5
    columns[mirrored] = columns[mirrored, ::-1]
    columns = (left[:, None] + columns)[:, None, :]
    return padded[np.arange(count)[:, None, None], rows, columns]
