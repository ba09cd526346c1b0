"""Logits from distances to the centres of classes."""

import keras
import numpy as np
from keras import ops

from robustzoo.check_number import check_number
from robustzoo.closest import closest
from robustzoo.layers.max_mahalanobis_centers import max_mahalanobis_centers
from robustzoo.layers.random_centers import random_centers
from robustzoo.single_precision import single_precision

CENTERS = ("max_mahalanobis", "random", "learned")


@keras.saving.register_keras_serializable("robustzoo")
class CenterLogits(keras.layers.Layer):
    """-||z - mu_l||^2 / 2 of features z (B, d) for each centre mu_l, (B, L), at least in float32.

    The factor is the papers'; the authors' code has none, and so twice the logits. Pang et al.,
    2018, arXiv:1802.09308 (MM-LDA) and 2020, arXiv:1905.10626 (MMC).

    Args:
        classes: L.
        centers: "max_mahalanobis" and "random" stay as they are; "learned" ones are trained,
            from random ones on. Under `losses.mmc` alone learned centres would all meet.
        scale: norm of the centres, at the start of those learned.
        seed: of random centres.
    """

    def __init__(
        self,
        classes: int,
        centers: str = "max_mahalanobis",
        scale: float = 10.0,
        seed: int = 0,
        **options,
    ):
        super().__init__(**{"autocast": False, **options})
        if centers not in CENTERS:
            close = closest(centers, CENTERS)
            raise ValueError(
                f"centers must be one of {CENTERS}. Received: {centers!r:.100}; closest: {close!r}"
            )
        check_number("scale", scale, "> 0")
        self.classes, self.initial, self.scale, self.seed = classes, centers, scale, seed

    def build(self, input_shape):
        choose = max_mahalanobis_centers if self.initial == "max_mahalanobis" else random_centers
        values = choose(self.classes, input_shape[-1], self.scale, self.seed)
        self.centers = self.add_weight(
            name="centers",
            shape=values.shape,
            initializer=keras.initializers.Constant(np.asarray(values)),
            trainable=self.initial == "learned",
            autocast=False,
        )

    def call(self, features):
        # In 16 bits the squares, each of the size of scale^2, would cancel to noise.
        features = single_precision(features)
        centers = ops.cast(self.centers, features.dtype)
        dots = ops.matmul(features, ops.transpose(centers))
        lengths = ops.sum(ops.square(features), axis=-1, keepdims=True)
        return dots - (lengths + ops.sum(ops.square(centers), axis=-1)) / 2.0

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.classes)

    def get_config(self):
        return super().get_config() | {
            "classes": self.classes,
            "centers": self.initial,
            "scale": self.scale,
            "seed": self.seed,
        }
