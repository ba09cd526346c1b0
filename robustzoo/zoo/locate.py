"""Where a model folder lies: given, bundled, in the checkout, in the Hub cache or on the Hub."""

import os
from pathlib import Path

from robustzoo.zoo.registry import released, released_entry

PACKAGE = Path(__file__).resolve().parents[1]
BUNDLED = PACKAGE / "bundled"
CHECKOUT = PACKAGE.parent / "model_cards"


def is_folder(name: str | Path) -> bool:
    """Whether `name` means a folder: a Path, a text with a separator, or a directory that is there.

    A released name is never taken for a directory: one that happens to lie in the working
    directory must not pass for the release.
    """
    if isinstance(name, Path):
        return True
    if not isinstance(name, str) or not name:
        raise ValueError(f"a model is named by text or by a Path to a folder. Received: {name!r}")
    if any(separator in name for separator in {"/", os.sep}):
        return True
    return name not in released() and Path(name).is_dir()


def local_folder(name: str) -> Path | None:
    """The folder of a released name without the Hub, None where there is none."""
    released_entry(name)
    for parent in (BUNDLED, CHECKOUT):
        if (parent / name).is_dir():
            return parent / name
    return None
