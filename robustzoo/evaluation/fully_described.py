"""Whether a description of an attack is the whole of it."""

import dataclasses
import functools
import inspect

import keras


def fully_described(attack) -> bool:
    """Whether `describe(attack)` tells it from all others.

    It does not where a name is all there is of a closure, a lambda, a method or an object: two of
    one name may do different things.
    """
    if dataclasses.is_dataclass(attack) and not isinstance(attack, type):
        values = (getattr(attack, field.name) for field in dataclasses.fields(attack))
        return all(map(fully_described, values))
    if isinstance(attack, functools.partial):
        return all(map(fully_described, (attack.func, *attack.args, *attack.keywords.values())))
    if isinstance(attack, keras.Model) or not callable(attack):
        return True
    return not inspect.ismethod(attack) and "<" not in getattr(attack, "__qualname__", "<")
