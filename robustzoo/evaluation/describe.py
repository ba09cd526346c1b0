"""An attack as JSON."""

import dataclasses
from collections.abc import Callable

import keras

from robustzoo.hashes import sha256
from robustzoo.threats import L1, L2, Linf, format_eps, to_config

ABSENT = (None, False)  # an option that is off need not be told


def describe(attack: Callable) -> dict:
    """{"attack": class or function name, "arguments": {...}} with everything that decides it."""
    name = getattr(attack, "__name__", type(attack).__name__)
    if not dataclasses.is_dataclass(attack):
        return {"attack": name, "arguments": {}}
    fields = {field.name: getattr(attack, field.name) for field in dataclasses.fields(attack)}
    arguments = {k: _plain(k, v) for k, v in fields.items() if v not in ABSENT}
    return {"attack": name, "arguments": arguments}


def _plain(name, value):
    if isinstance(value, Linf | L2 | L1):
        return to_config(value)
    if isinstance(value, keras.Model):
        return f"{value.name}, weights sha256:{sha256(*value.get_weights())[:12]}"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return describe(value)
    if name == "step_size":
        return format_eps(value)
    return value.__name__ if callable(value) else value
