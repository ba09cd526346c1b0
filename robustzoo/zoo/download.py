"""Have a model folder on this machine."""

from pathlib import Path

from robustzoo.zoo.obtain import obtain


def download(
    name: str,
    revision: str | None = None,
    cache_dir: str | Path | None = None,
    local_files_only: bool = False,
) -> Path:
    """Returns the folder that `load` reads, fetched from the Hub if need be, every hash checked.

    Arguments and errors are those of `load`. The folder may be part of the Hub's cache: copy it,
    do not write into it.
    """
    return obtain(name, (), revision, cache_dir, local_files_only)[0]
