"""Where in a model the features are."""

import keras

from robustzoo.closest import closest


def check_model(model) -> None:
    """ValueError unless `model` is functional or sequential, so that its layers can be seen."""
    if not isinstance(model, keras.Model) or not getattr(model, "inputs", None):
        raise ValueError(
            "a detector needs a functional or sequential keras.Model, whose layers it can see. "
            f"Received: {type(model).__name__}"
        )


def feature(model: keras.Model, name: str | None):
    """The output of layer `name`, symbolic; for None the input of the last Dense layer."""
    check_model(model)
    if name is None:
        dense = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)]
        if not dense:
            raise ValueError(f"{model.name} has no Dense layer; name the layer of the features")
        return dense[-1].input
    names = [layer.name for layer in model.layers]
    if name not in names:
        close = closest(name, names)
        raise ValueError(
            f"{model.name} has no layer {name!r}; there are {', '.join(names)}. "
            f"Did you mean {close!r}?"
        )
    return model.get_layer(name).output


def check_positive(name: str, value) -> None:
    """ValueError unless `value` is an integer of at least 1."""
    if type(value) is not int or value < 1:
        raise ValueError(f"{name} must be a positive integer. Received: {name}={value!r}")
