import inspect
import math

import keras

from robustzoo import detect
from robustzoo.architectures._copy import input_of
from robustzoo.architectures._parts import MAX_WEIGHTS, check_integer
from robustzoo.closest import closest
from robustzoo.detect.abstaining import with_rejection

MAX_KEPT = 10_000


def abstaining(
    base: keras.Model,
    detector: str,
    features: str | tuple[str, ...] | None = None,
    per_class: int | None = None,
    neighbours: int | None = None,
    reference: int | None = None,
) -> keras.Model:
    """`base` with one logit more, which wins where a detector rejects: `detect.abstaining`.

    What the detector has learned are weights, and so is the threshold.

    Args:
        base: from images to logits; its layers are shared, not copied.
        detector: a class of `robustzoo.detect`, such as "KernelDensity".
        features, per_class, neighbours, reference: of that class; None for its default.
    """
    input_of(base)  # refuses what has no graph
    _check_features(features, base)
    if not isinstance(detector, str) or detector not in detect.DETECTORS:
        close = closest(f"{detector!s:.100}", detect.DETECTORS)
        raise ValueError(
            f"detector must be one of {', '.join(detect.DETECTORS)}. Received: {detector!r:.100}; "
            f"closest: {close}"
        )
    sizes = {"per_class": per_class, "neighbours": neighbours, "reference": reference}
    given = {"features": features, **sizes}
    given = {name: value for name, value in given.items() if value is not None}
    known = inspect.signature(detect.DETECTORS[detector]).parameters
    for name, value in given.items():
        if name not in known:
            raise ValueError(f"{detector} has no setting {name}. Received: {value!r:.100}")
        if name in sizes:
            check_integer(name, value, 1, MAX_KEPT)
    built = detect.DETECTORS[detector](base, **given)
    if sum(map(math.prod, built.shapes().values())) > MAX_WEIGHTS:
        raise ValueError(f"{detector} would keep more than a model folder holds: keep fewer images")
    return with_rejection(base, built.blank())


def _check_features(features, base):
    """Each layer costs time to build with, so a config may name it once."""
    names = features if isinstance(features, tuple) else (features,)
    known = {layer.name for layer in base.layers}
    named = all(isinstance(name, str) and name in known for name in names)
    if features is not None and not (named and len(set(names)) == len(names)):
        raise ValueError(
            "features must be the name of a layer of the base, or a list of different ones. "
            f"Received: {features!r:.100}"
        )
