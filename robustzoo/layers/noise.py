"""The noise layer."""

import keras
from keras import ops

from robustzoo.check_number import check_number


@keras.saving.register_keras_serializable("robustzoo")
class Noise(keras.layers.Layer):
    """x + e with fresh e at every call, in training and in inference alike.

    "gaussian": e ~ N(0, scale^2); "uniform": e ~ U(-scale, scale), each entry by itself. Liu et
    al., 2018, arXiv:1712.00673; Araujo et al., 2019, arXiv:1903.10219. Keras' `GaussianNoise` is
    silent in inference.

    Args:
        scale: in the units of the input; 0 is the identity.
        seed: of the noise; None draws one.
    """

    def __init__(
        self,
        scale: float,
        distribution: str = "gaussian",
        seed: int | None = None,
        **options,
    ):
        super().__init__(**options)
        check_number("scale", scale, ">= 0")
        if distribution not in ("gaussian", "uniform"):
            raise ValueError(
                f"distribution must be 'gaussian' or 'uniform'. Received: {distribution!r}"
            )
        self.scale, self.distribution, self.seed = scale, distribution, seed
        if scale:
            self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs):
        if not self.scale:
            return inputs
        draw = {
            "shape": ops.shape(inputs),
            "dtype": self.compute_dtype,
            "seed": self.seed_generator,
        }
        if self.distribution == "uniform":
            return inputs + keras.random.uniform(minval=-self.scale, maxval=self.scale, **draw)
        return inputs + keras.random.normal(stddev=self.scale, **draw)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        own = {"scale": self.scale, "distribution": self.distribution, "seed": self.seed}
        return super().get_config() | own
