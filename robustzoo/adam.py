"""Adam."""

from keras import ops

DECAYS = 0.9, 0.999


def adam(state, slope, count):
    """Kingma & Ba, 2015, arXiv:1412.6980, per example.

    Args:
        state: holds the averages `mean` and `square`, shaped like `slope`.
        slope: gradient of what is to fall or to rise (B, ...).
        count: steps made before, (B,) or a number.

    Returns mean / sqrt(square), bias corrected, to be subtracted times the learning rate to descend
    and added to ascend, and the new averages.
    """
    mean = DECAYS[0] * state["mean"] + (1.0 - DECAYS[0]) * slope
    square = DECAYS[1] * state["square"] + (1.0 - DECAYS[1]) * ops.square(slope)
    time = ops.reshape(ops.cast(count, "float32") + 1.0, (-1, *(1,) * (len(slope.shape) - 1)))
    # Tiny slopes are common (1e-7 where C&W starts at 0 or 1): the 1e-8 comes after the correction.
    scale = ops.sqrt(square / (1.0 - ops.power(DECAYS[1], time))) + 1e-8
    move = mean / (1.0 - ops.power(DECAYS[0], time)) / scale
    return move, {"mean": mean, "square": square}
