"""The model that a checked config describes, with fresh weights."""

import contextlib
import difflib

import keras

POLICIES = ("float32", "bfloat16", "float16", "mixed_bfloat16", "mixed_float16")


def build(config: dict, dtype: str | None = None) -> keras.Model:
    """Builds through the allow-list of `robustzoo.architectures`; nothing is deserialised.

    Args:
        config: see `zoo.config`.
        dtype: Keras dtype policy to build with, by default the current one.

    Raises ValueError for an unknown architecture, argument or policy, or where the model has
    another input shape or number of classes than `config` says.
    """
    from robustzoo import architectures

    with _policy(dtype):
        model = architectures.build(config["architecture"], config["arguments"])
    shape, classes = tuple(model.input_shape[1:]), model.output_shape[-1]
    if shape != tuple(config["input_shape"]):
        raise ValueError(f"input_shape is {config['input_shape']}, but the model takes {shape}")
    if classes != len(config["labels"]):
        raise ValueError(f"{len(config['labels'])} labels for a model of {classes} classes")
    return model


@contextlib.contextmanager
def _policy(dtype: str | None):
    if dtype is None:
        yield
        return
    if dtype not in POLICIES:
        close = difflib.get_close_matches(str(dtype), POLICIES, 1)
        hint = f"; closest: {close[0]}" if close else ""
        raise ValueError(f"dtype must be one of {', '.join(POLICIES)}. Received: {dtype!r}{hint}")
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(dtype)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
