"""An attack as JSON."""

import dataclasses
import functools
from collections.abc import Callable

import keras
import numpy as np

from robustzoo.hashes import sha256
from robustzoo.threats import L1, L2, Linf, format_eps, to_config


def describe(attack: Callable) -> dict:
    """{"attack": class or function name, "arguments": {...}} with everything that decides it."""
    name = _name(attack)
    if not dataclasses.is_dataclass(attack):
        return {"attack": name, "arguments": {}}
    arguments = {}
    for field in dataclasses.fields(attack):
        value = getattr(attack, field.name)
        # What is off unless it is asked for need not be told.
        if value is not None and (value or value != field.default):
            arguments[field.name] = _plain(field.name, value)
    return {"attack": name, "arguments": arguments}


def _plain(name, value):
    if isinstance(value, np.generic):
        value = value.item()  # JSON knows no numbers of NumPy
    if isinstance(value, Linf | L2 | L1):
        return to_config(value)
    if isinstance(value, keras.Model):
        return f"{value.name}, weights sha256:{sha256(*value.get_weights())[:12]}"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return describe(value)
    if name == "step_size":
        return format_eps(value)
    return _name(value) if callable(value) else value


def _name(function):
    """ "dlr", or "tempered_cross_entropy(temperature=2.0)" of a `functools.partial`."""
    if not isinstance(function, functools.partial):
        return getattr(function, "__name__", type(function).__name__)
    given = [str(_plain("", value)) for value in function.args]
    given += [f"{name}={_plain(name, value)}" for name, value in function.keywords.items()]
    return f"{_name(function.func)}({', '.join(given)})"
