"""A model that computes in fewer bits."""

import keras

from robustzoo.architectures._copy import finalize


def lower_precision(model: keras.Model, precision: str) -> keras.Model:
    """A copy of a functional `model` whose layers compute in `precision`, its logits in float32.

    It shares no variable with `model`; weights stay float32.
    """
    policies = {"bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}
    if precision not in policies:
        raise ValueError(f"precision must be float32, bfloat16 or float16. Received: {precision!r}")

    def lowered(layer):
        if isinstance(layer, keras.Model):  # a member of an ensemble, say
            return lower_precision(layer, precision)
        config = layer.get_config()
        if isinstance(layer, keras.layers.Layer):  # an operation of keras.ops takes what comes
            last = layer.output is model.outputs[0]
            config["dtype"] = "float32" if last else policies[precision]
        return type(layer).from_config(config)

    copy = keras.models.clone_model(model, clone_function=lowered)
    copy.set_weights(model.get_weights())
    finalize(copy)
    return copy
