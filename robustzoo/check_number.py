"""The check of a number that someone gives as an argument."""

import math
import numbers

RANGES = {
    ">= 0": lambda value: value >= 0,
    ">= 1": lambda value: value >= 1,
    "> 0": lambda value: value > 0,
    "in (0, 1)": lambda value: 0 < value < 1,
    "in [0, 1]": lambda value: 0 <= value <= 1,
    "in [0, 1)": lambda value: 0 <= value < 1,
    "in (0, 1]": lambda value: 0 < value <= 1,
}


def check_number(name: str, value: float, valid: str, whole: bool = False) -> None:
    """Raises ValueError unless `value` is a finite number, Python's or numpy's, that is `valid`.

    Args:
        name: of the argument, for the error.
        valid: a key of RANGES.
        whole: whether it must be an integer.
    """
    kind = numbers.Integral if whole else numbers.Real
    good = isinstance(value, kind) and not isinstance(value, bool) and math.isfinite(value)
    if not good or not RANGES[valid](value):
        what = "be an integer" if whole else "be a finite number"
        must = f"lie {valid}" if valid.startswith("in") else f"{what} {valid}"
        raise ValueError(f"{name} must {must}. Received: {name}={value!r:.100}")
