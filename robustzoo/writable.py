"""Where a result will be written, checked before any work."""

import tempfile
from pathlib import Path


def writable(path: str | Path) -> Path:
    """The path of a file to be written; OSError, which names it, if it cannot be."""
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {path.parent} to write {path.name} to")
    before = path.exists()
    with open(path, "ab"):  # permissions alone do not tell
        pass
    if not before:
        path.unlink()
    if not before or path.is_file():
        with tempfile.TemporaryDirectory(prefix=".", dir=path.resolve().parent):  # as `whole_file`
            pass
    return path
