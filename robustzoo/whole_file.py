"""Files that are written whole or not at all."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """A path to write to, which takes the place of `path` once all is written.

    A kill or a full disk leaves what was there before. The folder must exist.
    """
    path = Path(path)
    # Hidden, so that nobody who looks into the folder meanwhile takes it for a part.
    with tempfile.TemporaryDirectory(prefix=".", dir=path.parent) as work:
        yield Path(work) / path.name
        os.replace(Path(work) / path.name, path)
