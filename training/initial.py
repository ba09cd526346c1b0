"""Weights of a released model as the start of another."""

import keras

from robustzoo import zoo
from robustzoo.zoo.weights import named_weights


def begin_with(model: keras.Model, name: str) -> list[str]:
    """Gives `model` the weights of the released `name`, wherever their names and shapes agree.

    Returns the names of those that stay as they are, a new head's. ValueError if they are half or
    more: then the two are different nets.
    """
    given, kept = named_weights(zoo.load(name)), []
    for place, variable in named_weights(model).items():
        if place in given and given[place].shape == variable.shape:
            variable.assign(given[place])
        else:
            kept.append(place)
    if 2 * len(kept) >= len(named_weights(model)):
        raise ValueError(
            f"{name} has no weights for most of {model.name}: {', '.join(kept[:5])}, ... "
            "Start from a model of the same architecture"
        )
    return kept
