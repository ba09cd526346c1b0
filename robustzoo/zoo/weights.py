"""Weights as safetensors: names are `variable.path`, arrays are float32 or integers.

Nothing here deserialises code: a safetensors file is a JSON header and raw numbers. Keras' own
formats can run code on loading (CVE-2025-1550, CVE-2025-9905) or allocate without bound
(CVE-2026-0897), so they are only ever written, by `export`.
"""

import difflib
import math

import numpy as np
import safetensors.numpy
from keras import ops

from robustzoo.zoo.header import read_header

# Their names in safetensors files and in numpy.
DTYPES = {
    "F32": "float32",
    **{f"I{n}": f"int{n}" for n in (8, 16, 32, 64)},
    **{f"U{n}": f"uint{n}" for n in (8, 16, 32, 64)},
}


def named_weights(model) -> dict:
    """{name: variable} of a model's weights, random seeds and metrics left out.

    The name is `variable.path` without the model's own name, which Keras numbers in the order of
    construction, so that two models built in one process agree. ValueError if two are equal.
    """
    named = {}
    for variable in model.weights:
        name = variable.path.removeprefix(f"{model.name}/")
        if name in named:
            raise ValueError(f"two weights of {model.name!r} are named {name!r}; name its layers")
        named[name] = variable
    return named


def packed_size(model) -> int:
    """Bytes that the weights of `model` take in a file, without its header."""
    variables = named_weights(model).values()
    return sum(math.prod(v.shape) * np.dtype(_stored(v)).itemsize for v in variables)


def pack(model) -> bytes:
    """The weights of `model` as safetensors; ValueError if one is not finite or not a number."""
    arrays = {}
    for name, variable in named_weights(model).items():
        # Not np.ascontiguousarray, which makes a vector of a single number.
        stored = ops.convert_to_numpy(ops.cast(variable, _stored(variable)))
        array = np.asarray(stored, order="C")
        _check_finite(name, array)
        arrays[name] = array
    return safetensors.numpy.save(arrays)


def unpack(data: bytes) -> dict[str, np.ndarray]:
    """{name: array} of a safetensors file, views of `data`; ValueError if it is malformed."""
    return {
        name: np.frombuffer(data, DTYPES[dtype], count, begin).reshape(shape)
        for name, (dtype, shape, begin, count) in read_header(data).items()
    }


def assign(model, data: bytes) -> None:
    """Assigns a safetensors file to `model`, all weights or, on any ValueError, none.

    Names, shapes and dtypes must be exactly the model's and every number finite.
    """
    variables, arrays = named_weights(model), unpack(data)
    _check_same_names(list(variables), list(arrays))
    for name, variable in variables.items():
        array, dtype = arrays[name], _stored(variable)
        if array.shape != tuple(variable.shape) or array.dtype != dtype:
            raise ValueError(
                f"{name} must be {dtype}{tuple(variable.shape)}. "
                f"Received: {array.dtype}{array.shape}"
            )
        _check_finite(name, array)
    for name, variable in variables.items():
        variable.assign(arrays[name])


def _stored(variable) -> str:
    """Every float is stored as float32, whatever the dtype policy of the model in memory."""
    dtype = str(variable.dtype)
    if dtype in ("bfloat16", "float16"):
        return "float32"
    if dtype in DTYPES.values():
        return dtype
    raise ValueError(
        f"{variable.path} has dtype {dtype}; valid: float32, bfloat16, float16, integers"
    )


def _check_finite(name: str, array: np.ndarray) -> None:
    with np.errstate(all="ignore"):
        # A sum is faster than a look at each number, and finite only if each of them is.
        if array.dtype.kind != "f" or np.isfinite(array.sum()):
            return
    bad = array.size - int(np.isfinite(array).sum())
    if bad:
        raise ValueError(f"{name} has {bad} values that are NaN or Inf, of {array.size}")


def _check_same_names(expected: list, received: list) -> None:
    missing, extra = set(expected) - set(received), sorted(set(received) - set(expected))
    if missing or extra:
        lacking = sorted(missing)[:3]
        some = extra[:100]  # a hostile file may hold so many names that comparing them takes hours
        close = [match for name in lacking for match in difflib.get_close_matches(name, some, 1)]
        hint = f"; closest to it in the file: {', '.join(close)}" if close else ""
        raise ValueError(
            "model.safetensors holds the weights of another architecture: "
            f"{len(missing)} missing {lacking}, {len(extra)} unknown {extra[:3]}{hint}"
        )
