"""The model that a checked config describes, with fresh weights."""

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import keras

from robustzoo.closest import closest
from robustzoo.zoo.folder import MAX_FOLDER_BYTES
from robustzoo.zoo.weights import packed_size

POLICIES = ("float32", "bfloat16", "float16", "mixed_bfloat16", "mixed_float16")
MAX_MODELS = 64  # in one config: an ensemble has at most 16 members


def build(config: dict, dtype: str | None = None) -> keras.Model:
    """Builds through the allow-list of `robustzoo.architectures`; nothing is deserialised.

    Args:
        config: see `zoo.config`.
        dtype: Keras dtype policy to build with, by default the current one.

    Raises ValueError for an unknown architecture, argument or policy, where the model has another
    input shape or number of classes than `config` says, and, before memory is taken for them, where
    it has more weights than a model folder holds.
    """
    from robustzoo import architectures

    _check_sizes(config)
    with _policy(dtype):
        model = architectures.build(config["architecture"], config["arguments"])
    shape, classes = tuple(model.input_shape[1:]), model.output_shape[-1]
    if shape != tuple(config["input_shape"]):
        raise ValueError(f"input_shape is {config['input_shape']}, but the model takes {shape}")
    if classes != len(config["labels"]):
        raise ValueError(f"{len(config['labels'])} labels for a model of {classes} classes")
    return model


class _NoMemory(keras.StatelessScope):
    """Scope in which a model is built, but its variables get no values, and none is assigned."""

    def __init__(self):
        super().__init__(initialize_variables=False)

    def add_update(self, update):
        pass


def _check_sizes(config: dict) -> None:
    models = list(_described(config))
    if len(models) > MAX_MODELS:
        raise ValueError(f"the config describes {len(models)} models, more than {MAX_MODELS}")
    # Counting costs half of what loading a small model does, and builders' defaults are bounded.
    for model in (model for model in models if model["arguments"]):
        size = _size(model)
        if size > MAX_FOLDER_BYTES:
            raise ValueError(
                f"{model['architecture']} would have {size} bytes of weights; a model folder may "
                f"have {MAX_FOLDER_BYTES}. Received: {model['arguments']!r:.200}"
            )


def _described(value) -> Iterator[dict]:
    """Every description of a model in a config, those within others first."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from _described(inner)
        if {"architecture", "arguments"} <= set(value):
            yield value
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _described(inner)


def _size(model: dict) -> int:
    """Bytes of weights of a described model, counted without memory for them."""
    from robustzoo import architectures

    def count():
        with _NoMemory():
            return packed_size(architectures.build(model["architecture"], model["arguments"]))

    # In a thread of its own: Keras notes, per thread, which variables still want a value, and the
    # next scope that ends in this one would give it to them.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(count).result()


@contextlib.contextmanager
def _policy(dtype: str | None):
    if dtype is None:
        yield
        return
    if dtype not in POLICIES:
        close = closest(dtype, POLICIES)
        raise ValueError(
            f"dtype must be one of {', '.join(POLICIES)}. Received: {dtype!r}; closest: {close}"
        )
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(dtype)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
