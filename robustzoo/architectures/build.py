"""The allow-list: from a name and arguments that came from outside to a model."""

import difflib
import inspect
from collections.abc import Mapping
from typing import Any

import keras

from robustzoo.architectures.abstaining import abstaining
from robustzoo.architectures.center_head import center_head
from robustzoo.architectures.ensemble import ensemble
from robustzoo.architectures.linear import linear
from robustzoo.architectures.madry_cnn import madry_cnn
from robustzoo.architectures.mixup_inference import mixup_inference
from robustzoo.architectures.mlp import mlp
from robustzoo.architectures.noisy import noisy
from robustzoo.architectures.preact_resnet import preact_resnet
from robustzoo.architectures.resnet_v1 import resnet_v1
from robustzoo.architectures.resnet_v2 import resnet_v2
from robustzoo.architectures.reversed_logits import reversed_logits
from robustzoo.architectures.shaham_cnn import shaham_cnn
from robustzoo.architectures.small_cnn import small_cnn
from robustzoo.architectures.vgg16 import vgg16
from robustzoo.architectures.wide_resnet import wide_resnet
from robustzoo.architectures.wong_large import wong_large
from robustzoo.architectures.wong_resnet import wong_resnet
from robustzoo.architectures.wong_small import wong_small

ARCHITECTURES = {
    function.__name__: function
    for function in (
        abstaining,
        center_head,
        ensemble,
        linear,
        madry_cnn,
        mixup_inference,
        mlp,
        noisy,
        preact_resnet,
        resnet_v1,
        resnet_v2,
        reversed_logits,
        shaham_cnn,
        small_cnn,
        vgg16,
        wide_resnet,
        wong_large,
        wong_resnet,
        wong_small,
    )
}

MAX_DEPTH = 4  # models within each other, of what a config from the outside may ask for


def build(name: str, arguments: Mapping[str, Any]) -> keras.Model:
    """Builds an architecture of the zoo from its name and arguments, with fresh weights.

    Where an architecture is made of models (`base`, `members`), the argument says how to build
    them: {"architecture": "small_cnn", "arguments": {}}. Lists, as they come from JSON, do as
    tuples.

    Raises ValueError for a name or an argument that does not exist (the closest one is offered),
    for a value of the wrong type or out of bounds, and for models nested deeper than MAX_DEPTH.
    """
    return _build(name, arguments, MAX_DEPTH)


def _build(name, arguments, depth):
    _check_known("architecture", name, ARCHITECTURES)
    function = ARCHITECTURES[name]
    if not isinstance(arguments, Mapping):
        raise ValueError(f"arguments of {name} must be an object. Received: {arguments!r:.100}")
    parameters = inspect.signature(function).parameters
    for argument in arguments:
        _check_known(f"argument of {name}", argument, parameters)
    if not depth:
        raise ValueError(f"{name} lies deeper than {MAX_DEPTH} models within each other")
    for key, parameter in parameters.items():
        if parameter.default is inspect.Parameter.empty and key not in arguments:
            raise ValueError(f"{name} needs the argument {key!r}. Received: {arguments!r:.100}")
    values = {key: _value(value, depth - 1) for key, value in arguments.items()}
    try:
        return function(**values)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _value(value, depth):
    if isinstance(value, list | tuple):
        return tuple(_value(v, depth) for v in value)
    if not isinstance(value, Mapping):
        return value
    if set(value) != {"architecture", "arguments"}:
        raise ValueError(
            'a model is described by {"architecture": name, "arguments": {...}}. '
            f"Received: {value!r:.100}"
        )
    return _build(value["architecture"], value["arguments"], depth)


def _check_known(what: str, key, valid) -> None:
    if not isinstance(key, str) or key not in valid:
        close = difflib.get_close_matches(str(key), valid, 1)
        hint = f"; closest: {close[0]}" if close else ""
        raise ValueError(f"no {what} {key!r:.100}; there are {', '.join(valid)}{hint}")
