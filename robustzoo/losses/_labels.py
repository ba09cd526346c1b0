"""Labels as Keras hands them to a `keras.losses.Loss`."""

from keras import ops


def labels(y_true):
    """Integer labels (B,) of the floats (B,) or (B, 1) that `keras.losses.Loss` makes of them."""
    return ops.cast(ops.reshape(y_true, (-1,)), "int32")
