"""Whether a description of an attack, and this package's sources, are the whole of it."""

import dataclasses
import functools
import inspect

import keras


def fully_described(attack) -> bool:
    """Whether `describe(attack)` tells it from all others.

    It does not where a name is all there is of a closure, a lambda, a method or an object: two of
    one name may do different things. Nor of what others wrote, for that may change unseen.
    """
    if dataclasses.is_dataclass(attack) and not isinstance(attack, type):
        if not _ours(type(attack)):
            return False
        values = (getattr(attack, field.name) for field in dataclasses.fields(attack))
        return all(map(fully_described, values))
    if isinstance(attack, functools.partial):
        return all(map(fully_described, (attack.func, *attack.args, *attack.keywords.values())))
    if isinstance(attack, keras.Model) or not callable(attack):
        return True
    named = not inspect.ismethod(attack) and "<" not in getattr(attack, "__qualname__", "<")
    return named and _ours(attack)


def _ours(thing):
    module = getattr(thing, "__module__", None) or ""
    return module.partition(".")[0] == __name__.partition(".")[0]
