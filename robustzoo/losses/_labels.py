"""Labels: as Keras hands them to a `keras.losses.Loss`, and those that are no class."""

from keras import ops


def labels(y_true):
    """Integer labels (B,) of the floats (B,) or (B, 1) that `keras.losses.Loss` makes of them."""
    if len(y_true.shape) > 2 or (len(y_true.shape) == 2 and y_true.shape[1] not in (1, None)):
        raise ValueError(
            "labels must have shape (B,) or (B, 1); use argmax of one-hot labels. "
            f"Received: {tuple(y_true.shape)}"
        )
    return ops.cast(ops.reshape(y_true, (-1,)), "int32")


def nan_unless_class(values, label, classes):
    """`values` (B, ...), NaN where `label`, of as many axes, is not in 0 .. classes - 1.

    Else a wrong label would be as good as a loss of 0, by `one_hot`, or as another one, by `take`.
    """
    known = ops.logical_and(ops.greater_equal(label, 0), ops.less(label, classes))
    return ops.where(known, values, float("nan"))
