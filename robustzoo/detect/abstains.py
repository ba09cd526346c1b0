"""Which models reject inputs."""

import keras

from robustzoo.layers import Rejection


def abstains(model: keras.Model) -> bool:
    """Whether the last class of `model` is rejection, as `abstaining` makes it."""
    layers = getattr(model, "layers", None)
    if not layers:
        return False
    return isinstance(layers[-1], Rejection) or abstains(layers[-1])
