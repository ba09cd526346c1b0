"""The training set in batches, in an order that only the seed and the epoch decide."""

from collections.abc import Callable

import keras
import numpy as np

from robustzoo.datasets import Split


class Batches(keras.utils.PyDataset):
    """Full batches of one epoch from number `first` on; a resumed epoch sees the same ones."""

    def __init__(
        self,
        split: Split,
        batch_size: int,
        augment: Callable | None,
        seed: int,
        epoch: int,
        first: int = 0,
    ):
        super().__init__()
        self.split, self.batch_size, self.augment = split, batch_size, augment
        self.seed, self.epoch, self.first = seed, epoch, first
        self.order = np.random.default_rng([seed, epoch]).permutation(len(split))

    def __len__(self):
        return len(self.split) // self.batch_size - self.first

    def __getitem__(self, index):
        number = self.first + index
        rows = self.order[number * self.batch_size : (number + 1) * self.batch_size]
        pixels = self.split.pixels[rows]
        if self.augment is not None:
            generator = np.random.default_rng([self.seed, self.epoch, number])
            pixels = self.augment(pixels, generator)
        return pixels.astype("float32") / np.float32(255), self.split.labels[rows]
