"""Numbers of 16 bits in 32."""

import keras
from keras import ops

HALF = ("bfloat16", "float16")


def single_precision(x):
    """`x` in float32 where it has 16 bits, else as it is: so Keras' own losses take logits."""
    short = keras.backend.standardize_dtype(x.dtype) in HALF
    return ops.cast(x, "float32") if short else x
