"""The verified contents of a model folder, wherever it lies."""

from pathlib import Path

from robustzoo.zoo.folder import read_folder
from robustzoo.zoo.locate import is_folder, local_folder
from robustzoo.zoo.registry import released_entry


def obtain(
    name: str | Path,
    skip: tuple = (),
    revision: str | None = None,
    cache_dir: str | Path | None = None,
    local_files_only: bool = False,
) -> tuple[Path, dict[str, bytes]]:
    """(folder, {file: contents}) of a released name, a folder or "hf://org/repo@revision".

    Every content has been compared with the manifest, which for a released name has been compared
    with the registry. Arguments and errors are those of `load`; files in `skip` are not fetched.
    """
    if isinstance(name, str) and name.startswith("hf://"):
        from robustzoo.zoo.hub import obtain_uri

        return obtain_uri(name, skip, revision, cache_dir, local_files_only)
    if is_folder(name):
        if revision is not None:
            raise ValueError(f"revision is for the Hub; {name} is a folder. Received: {revision!r}")
        folder = Path(name).expanduser()
        if not folder.is_dir():
            raise FileNotFoundError(f"there is no folder {folder}")
        return folder, read_folder(folder, skip=skip)
    folder = None if revision else local_folder(name)
    if folder is not None:
        return folder, read_folder(folder, released_entry(name)["manifest_sha256"], skip)
    from robustzoo.zoo.hub import obtain_release

    return obtain_release(name, skip, revision, cache_dir, local_files_only)
