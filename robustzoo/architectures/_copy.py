"""A model copied into another one."""

from collections.abc import Callable

import keras

from robustzoo.detect import abstains


def input_of(base: keras.Model):
    """A fresh input for `base`; ValueError unless its layers can be seen and copied."""
    _check_graph(base)
    return keras.Input(base.input_shape[1:], name="images")


def copied(base: keras.Model, inputs, prefix: str = "", call: Callable | None = None):
    """Output of a copy of `base`, weights included, on `inputs`, a `keras.Input`.

    Args:
        prefix: of the name of each copied layer.
        call: (layer, *args, **kwargs) -> outputs, in place of layer(*args, **kwargs).
    """
    pairs = []

    def clone(layer):
        if isinstance(layer, keras.Model):
            return _nested(layer, prefix)
        config = layer.get_config()
        if "name" in config:
            config["name"] = prefix + config["name"]
        pairs.append((layer, type(layer).from_config(config)))
        return pairs[-1][1]

    graph = keras.Model(*ends(base))
    outputs = keras.models.clone_model(graph, inputs, clone, call).output
    for layer, copy in pairs:
        if isinstance(layer, keras.Layer):
            copy.set_weights(layer.get_weights())
        finalize(copy)
    return outputs


def finalize(layer):
    """Renews what `keras.layers.Normalization`, in `layer` or itself, computed of its weights."""
    if hasattr(layer, "finalize_state"):
        layer.finalize_state()
    for part in getattr(layer, "layers", []):
        finalize(part)


def _nested(model, prefix):
    _check_graph(model)
    inputs = keras.tree.map_structure(
        lambda x: keras.Input(batch_shape=x.shape, dtype=x.dtype), ends(model)[0]
    )
    return keras.Model(inputs, copied(model, inputs, prefix), name=prefix + model.name)


def ends(model):
    """Input and output: a Sequential that was never called has but lists of them."""
    if isinstance(model, keras.Sequential):
        return model.inputs[0], model.outputs[0]
    return model.input, model.output


def _check_graph(model):
    if abstains(model):
        raise ValueError("a model that abstains is part of no other. Received: its rejection")
    if not isinstance(model, keras.Model) or not getattr(model, "inputs", None):
        raise ValueError(
            "only the layers of a functional model or of a built Sequential can be seen and copied."
            f" Received: {getattr(model, 'name', model)!r:.100} of type {type(model).__name__}"
        )
