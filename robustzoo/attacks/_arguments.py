"""Checks that many attacks make of their arguments."""

from collections.abc import Callable
from numbers import Real

from robustzoo.threats import L1, L2, Linf


def check_positive(attack, integers: tuple = (), numbers: tuple = ()) -> None:
    """Raises ValueError unless `integers` are integers >= 1 and `numbers` finite and > 0."""
    for name in integers:
        value = getattr(attack, name)
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} must be a positive integer. Received: {name}={value!r}")
    for name in numbers:
        value = getattr(attack, name)
        if not isinstance(value, Real) or not 0 < value < float("inf"):
            raise ValueError(f"{name} must be a positive number. Received: {name}={value!r}")


def check_at_least(attack, least: float, *names: str) -> None:
    """Raises ValueError unless all are finite numbers >= `least`."""
    for name in names:
        wanted = f"a finite number >= {least}"
        check_number(attack, name, wanted, lambda value: least <= value < float("inf"))


def check_number(attack, name: str, wanted: str, holds: Callable) -> None:
    """Raises ValueError, with what is `wanted`, unless it is a number for which `holds` is true."""
    value = getattr(attack, name)
    if not isinstance(value, Real) or not holds(value):
        raise ValueError(f"{name} must be {wanted}. Received: {name}={value!r}")


def check_loss(attack) -> None:
    """Raises ValueError unless the attack's loss can be called."""
    if not callable(attack.loss):
        raise ValueError(
            "loss must be a function (y, logits) -> (B,), such as robustzoo.losses.margin. "
            f"Received: loss={attack.loss!r}"
        )


def check_threat(attack, *norms: type) -> None:
    """Raises ValueError unless the attack's threat is one of `norms`, by default of any."""
    norms = norms or (Linf, L2, L1)
    if not isinstance(attack.threat, norms):
        *others, last = (norm.__name__ for norm in norms)
        raise ValueError(
            f"threat must be {', '.join(others)} or {last}. Received: threat={attack.threat!r}"
        )


def check_step_size(attack) -> None:
    """Raises ValueError if the step size is negative or not finite; tensors are not looked at."""
    size = attack.step_size
    if isinstance(size, str) or (isinstance(size, Real) and not 0 <= size < float("inf")):
        raise ValueError(f"step_size must be a number >= 0. Received: step_size={size!r}")
