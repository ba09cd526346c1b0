"""Files of half-done work go once what they led to is written."""

import contextlib
import contextvars
from collections.abc import Iterator
from pathlib import Path

_waiting = contextvars.ContextVar("waiting", default=None)


@contextlib.contextmanager
def late_removal() -> Iterator[None]:
    """Scope at whose end goes what `remove` was called for meanwhile; it stays if that fails."""
    paths = []
    token = _waiting.set(paths)
    try:
        yield
    finally:
        _waiting.reset(token)
    for path in paths:
        path.unlink(missing_ok=True)


def remove(path: Path) -> None:
    """Removes a file that need not be there: at the end of the scope, at once without one."""
    waiting = _waiting.get()
    if waiting is None:
        path.unlink(missing_ok=True)
    else:
        waiting.append(path)
