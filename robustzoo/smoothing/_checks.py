"""What the numbers of randomised smoothing must look like."""


def check(sigma: float, alpha: float, seed: int, **counts: int) -> None:
    """Raises ValueError unless sigma > 0, alpha in (0, 1), seed >= 0, and the others >= 1."""
    if not (_number(sigma) and 0 < sigma < float("inf")):
        raise ValueError(f"sigma must be a finite number > 0. Received: {sigma!r:.100}")
    if not (_number(alpha) and 0 < alpha < 1):
        raise ValueError(f"alpha must lie in (0, 1). Received: {alpha!r:.100}")
    for name, value in {"seed": seed, **counts}.items():
        least = 0 if name == "seed" else 1
        if type(value) is not int or value < least:
            raise ValueError(f"{name} must be an integer >= {least}. Received: {value!r:.100}")


def _number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)
