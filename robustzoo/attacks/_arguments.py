"""Checks that many attacks make of their arguments."""


def check_positive(attack, integers: tuple = (), numbers: tuple = ()) -> None:
    """Raises ValueError unless `integers` are integers >= 1 and `numbers` finite and > 0."""
    for name in integers:
        value = getattr(attack, name)
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} must be a positive integer. Received: {name}={value!r}")
    for name in numbers:
        value = getattr(attack, name)
        if not 0 < value < float("inf"):
            raise ValueError(f"{name} must be a positive number. Received: {name}={value!r}")
