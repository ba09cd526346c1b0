"""Checks before work whose result is drawn."""

from pathlib import Path

from robustzoo.writable import writable


def png(path: str | Path) -> Path:
    """The path of a picture that can be written: it ends in .png and its folder exists."""
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise ValueError(f"a picture's file must end in .png. Received: {path}")
    return writable(path)


def need_matplotlib(instead: str) -> None:
    """ImportError, where it is missing, that says how to install it or what to do `instead`."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise ImportError(
            "the figure needs matplotlib: pip install matplotlib, or the extra robustzoo[report]; "
            f"or {instead}"
        ) from None
