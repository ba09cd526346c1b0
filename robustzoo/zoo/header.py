"""The header of a safetensors file, read where it lies: the library's own reader copies all data.

A file is the length of the header (8 bytes, little-endian), the header in JSON, {name: {"dtype":
"F32", "shape": [3, 4], "data_offsets": [begin, end]}}, and the numbers.
"""

import math
from typing import NamedTuple

from robustzoo.zoo.config import check_text
from robustzoo.zoo.folder import parse_json

FILE = "model.safetensors"
# The dtypes that a model folder may hold, and their bytes per number.
SIZES = {"F32": 4, "I8": 1, "I16": 2, "I32": 4, "I64": 8, "U8": 1, "U16": 2, "U32": 4, "U64": 8}
MAX_DIMENSIONS = 8


class Tensor(NamedTuple):
    """Where in the file the numbers of one array lie."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    count: int


def read_header(data: bytes) -> dict[str, Tensor]:
    """{name: Tensor}; ValueError unless the arrays fill `data` without gap or overlap."""
    begin = 8 + int.from_bytes(data[:8], "little")
    if begin > len(data):
        raise ValueError(f"{FILE} is malformed: {len(data)} bytes, {begin} of them header")
    header = parse_json(bytes(data[8:begin]), f"{FILE} is malformed: its header")
    header.pop("__metadata__", None)
    tensors = {name: _tensor(name, entry, begin) for name, entry in header.items()}
    end = begin
    for name, tensor in sorted(tensors.items(), key=lambda item: item[1].begin):
        if tensor.begin != end:
            raise ValueError(f"{FILE} is malformed: {name} begins at {tensor.begin}, not {end}")
        end += tensor.count * SIZES[tensor.dtype]
    if end != len(data):
        raise ValueError(f"{FILE} is malformed: arrays end at {end}, its bytes at {len(data)}")
    return tensors


def _tensor(name: str, entry, start: int) -> Tensor:
    check_text(f"{FILE} is malformed: a name", name)
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"{FILE} is malformed: {name} is {entry!r:.200}")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in SIZES:
        raise ValueError(f"{FILE}: {name} has dtype {dtype!r:.50}; valid: {', '.join(SIZES)}")
    for numbers in (shape, offsets):
        # Bounded, because the product of a long list of numbers takes very long.
        good = isinstance(numbers, list) and len(numbers) <= MAX_DIMENSIONS
        if not good or any(type(n) is not int or not 0 <= n < 2**31 for n in numbers):
            raise ValueError(f"{FILE} is malformed: {name} is {entry!r:.200}")
    count = math.prod(shape)
    if len(offsets) != 2 or offsets[1] - offsets[0] != count * SIZES[dtype]:
        raise ValueError(f"{FILE} is malformed: {name} with shape {shape} is at {offsets}")
    return Tensor(dtype, tuple(shape), start + offsets[0], count)
