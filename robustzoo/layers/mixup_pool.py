"""The layer that mixes images with images of a pool."""

import keras
import numpy as np
from keras import ops

from robustzoo.check_number import check_number
from robustzoo.checks import check_images, check_labels


@keras.saving.register_keras_serializable("robustzoo")
class MixupPool(keras.layers.Layer):
    """m x + (1 - m) s_k of [images x (B, H, W, C), logits (B, L)], (B, K, H, W, C).

    The images s_k are drawn anew at each call: the first of the class that the logits predict,
    the rest each from a class drawn uniformly among the others. The pool is black until `adapt`
    fills it. Pang et al., 2020, arXiv:1909.11515.

    Args:
        predicted, other: how many of either kind; K is their sum, at least 1.
        predicted_mixing, other_mixing: m in [0, 1] of either kind, the share of x.
        size: images kept per class, as 8-bit numbers.
        seed: of the draws; None draws one.
    """

    def __init__(
        self,
        predicted: int = 0,
        other: int = 30,
        predicted_mixing: float = 0.5,
        other_mixing: float = 0.5,
        size: int = 100,
        seed: int | None = None,
        **options,
    ):
        super().__init__(**options)
        self.predicted, self.other = predicted, other
        self.predicted_mixing, self.other_mixing = predicted_mixing, other_mixing
        self.size, self.seed = size, seed
        for name, low in (("predicted", 0), ("other", 0), ("size", 1)):
            check_number(name, getattr(self, name), f">= {low}", whole=True)
        if not predicted + other:
            raise ValueError("predicted or other must be positive. Received: both 0")
        for name in ("predicted_mixing", "other_mixing"):
            check_number(name, getattr(self, name), "in [0, 1]")
        self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape):
        images, logits = input_shape
        self.images = self.add_weight(
            shape=(logits[-1], self.size, *images[1:]),
            initializer="zeros",
            dtype="uint8",
            trainable=False,
            name="images",
        )

    def adapt(self, images: np.ndarray, labels: np.ndarray) -> None:
        """Fills the pool with `size` random images of each class, some twice where there are fewer.

        Args:
            images: of the training set, float (N, H, W, C) in [0, 1].
            labels: integers (N,). ValueError if a class has no image.
        """
        if not self.built:  # the labels, of which some may be missing, do not tell how many classes
            raise ValueError(
                "the pool has the shape of the images and classes of its input: call the layer on "
                "[images, logits] before adapt. Received: adapt of a layer not built"
            )
        classes, size, *shape = self.images.shape
        images = check_images(images, tuple(shape))
        labels = check_labels(labels, len(images), classes)
        missing = sorted(set(range(classes)) - set(labels.tolist()))
        if missing:
            raise ValueError(f"the pool needs an image of each class. Received none of {missing}")
        generator = np.random.default_rng(self.seed)
        rows = [_draw(generator, np.flatnonzero(labels == c), size) for c in range(classes)]
        self.images.assign(np.round(255 * images[np.stack(rows)]).astype("uint8"))

    def call(self, inputs):
        images, logits = inputs
        classes, size, *shape = self.images.shape
        draws = (ops.shape(images)[0], self.predicted + self.other)
        chosen = ops.cast(ops.argmax(logits, axis=-1), "int32")[:, None]
        others = np.arange(draws[1]) >= self.predicted
        step = ops.convert_to_tensor(others, "int32")
        chosen = (chosen + step * self._integers(draws, 1, classes)) % classes
        rows = chosen * size + self._integers(draws, 0, size)
        pool = ops.reshape(self.images, (classes * size, *shape))
        sampled = ops.cast(ops.take(pool, rows, axis=0), self.compute_dtype) / 255.0
        share = np.where(others, self.other_mixing, self.predicted_mixing)
        share = ops.convert_to_tensor(share[:, None, None, None], self.compute_dtype)
        return share * images[:, None] + (1.0 - share) * sampled

    def compute_output_shape(self, input_shape):
        images, _ = input_shape
        return images[0], self.predicted + self.other, *images[1:]

    def get_config(self):
        names = ("predicted", "other", "predicted_mixing", "other_mixing", "size", "seed")
        return super().get_config() | {name: getattr(self, name) for name in names}

    def _integers(self, shape, low, high):
        return keras.random.randint(shape, low, high, dtype="int32", seed=self.seed_generator)


def _draw(generator, rows, count):
    """`count` of `rows`, without repetition if there are enough."""
    return generator.choice(rows, count, replace=len(rows) < count)
