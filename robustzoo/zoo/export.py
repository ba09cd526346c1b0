"""Write a model as one .keras file."""

import warnings
from pathlib import Path

from robustzoo.writable import writable


def export(model, path: str | Path) -> Path:
    """Writes what `keras.models.load_model(path)` reads without robustzoo.

    Args:
        model: a `keras.Model`, or anything that `load` takes.
        path: ends in .keras; a file that is there is replaced.

    Returns the path. Warns if `model` has layers that are not Keras' own, since these need their
    package imported before loading.
    """
    path = Path(path)
    if path.suffix != ".keras":
        raise ValueError(f"path must end in .keras, e.g. {path.stem}.keras. Received: {path}")
    writable(path)
    from robustzoo.detect import abstains
    from robustzoo.zoo.load import load

    if isinstance(model, (str, Path)):
        model = load(model)
    if abstains(model):
        raise ValueError(
            f"{model.name} abstains, and can be kept as a model folder only: robustzoo.zoo.save"
        )
    model = _of_keras(model)
    foreign = {
        type(layer).__name__
        for layer in _layers(model)
        if not type(layer).__module__.startswith("keras.")
    }
    if foreign:
        warnings.warn(
            f"{', '.join(sorted(foreign))} are not Keras' own layers: import their package before "
            f"loading {path.name}",
            stacklevel=2,
        )
    model.save(path)
    return path


def _of_keras(model):
    """`model`, or a copy in which layers of ours that Keras has as well are those of Keras."""
    import keras

    from robustzoo.architectures._copy import finalize
    from robustzoo.layers import FusedBatchNormalization

    def clone(layer):
        own = isinstance(layer, FusedBatchNormalization)
        kind = keras.layers.BatchNormalization if own else type(layer)
        return kind.from_config(layer.get_config())

    if not any(isinstance(layer, FusedBatchNormalization) for layer in _layers(model)):
        return model
    copy = keras.models.clone_model(model, clone_function=clone, recursive=True)
    copy.set_weights(model.get_weights())
    finalize(copy)
    return copy


def _layers(layer):
    yield layer
    for inner in getattr(layer, "layers", ()):
        yield from _layers(inner)
