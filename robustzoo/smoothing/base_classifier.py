"""The classifier that smoothing adds its noise to."""

import itertools
import warnings

import keras

from robustzoo.layers import LogMeanProbability, Noise


def base_classifier(model: keras.Model) -> keras.Model:
    """`model`, or of one whose only noise is on its images (RAT) what stands behind that noise.

    Several draws that `architectures.noisy` averages become one. Raises ValueError for a model in
    which another layer has a `SeedGenerator`: noise in hidden layers gives no radius, and would not
    be drawn anew for every copy. Keras' own random layers are silent in inference; a call with
    training=True, which makes them speak, is refused.
    """
    _check_inference(model)
    random = [layer for layer in model._flatten_layers(include_self=False) if _draws(layer)]
    if not random:
        return model
    base = _behind(model, random[0]) if len(random) == 1 else None
    if base is None:
        raise ValueError(
            "smoothing takes a classifier that is the same function at every call, or has noise on "
            f"its images alone. Received: {model.name!r}, which draws its own in "
            f"{', '.join(repr(layer.name) for layer in random[:5])}"
        )
    warnings.warn(
        f"the noise of {random[0].name!r} is left out: smoothed is the net behind it, with the "
        "noise that smoothing adds",
        stacklevel=3,
    )
    return base


def _check_inference(model):
    for part in (model, *model._flatten_layers(include_self=False)):
        depths = getattr(part, "_nodes_by_depth", {})  # of functional models alone
        for node in itertools.chain.from_iterable(depths.values()):
            if node.arguments.kwargs.get("training"):
                raise ValueError(
                    "smoothing takes a classifier in inference. Received: "
                    f"{node.operation.name!r} called with training=True"
                )


def _draws(layer):
    own = not type(layer).__module__.startswith("keras.")
    return own and any(isinstance(v, keras.random.SeedGenerator) for v in vars(layer).values())


def _behind(model, noise):
    """The model from noisy images to logits of one draw, None where the noise is elsewhere."""
    if not isinstance(noise, Noise):
        return None
    outputs, source = model.outputs[0], _producer(noise.input)
    if type(source).__name__ == "Repeat":  # as `noisy` does, to average several draws
        mean = _producer(outputs)
        if not isinstance(mean, LogMeanProbability):
            return None
        outputs, source = _producer(mean.input).input, _producer(source.input)
    if not isinstance(source, keras.layers.InputLayer):
        return None
    try:
        return keras.Model(noise.output, outputs, name=f"{model.name}_base")
    except ValueError:  # the images reach the logits by another way, too
        return None


def _producer(tensor):
    return tensor._keras_history.operation
