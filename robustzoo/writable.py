"""Where a result will be written, checked before any work."""

from pathlib import Path


def writable(path: str | Path) -> Path:
    """The path of a file to be written; FileNotFoundError if there is no folder for it."""
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {path.parent} to write {path.name} to")
    return path
