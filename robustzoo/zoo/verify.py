"""Check a model folder as `load` does, and say what was checked."""

from pathlib import Path

from robustzoo.hashes import sha256
from robustzoo.zoo.config import check_config
from robustzoo.zoo.folder import MANIFEST, parse_json
from robustzoo.zoo.list_models import list_models
from robustzoo.zoo.obtain import obtain
from robustzoo.zoo.records import check_records


def verify(name: str | Path | None = None) -> dict:
    """Every hash, the config, the records, and that all weights fit the model they are for.

    Args:
        name: a released name, a folder or "hf://org/repo@revision"; None for all released models.

    Returns {"name", "folder", "files", "bytes", "manifest_sha256"}, or {name: that} for all.
    Raises what `load` raises, for the first thing that is wrong.
    """
    if name is None:
        return {released: verify(released) for released in list_models()}
    from robustzoo.zoo.build import build
    from robustzoo.zoo.weights import assign

    folder, files = obtain(name)
    config = check_config(parse_json(files["config.json"], "config.json"))
    check_records(files)
    assign(build(config), files["model.safetensors"])
    return {
        "name": str(name),
        "folder": folder,
        "files": len(files),
        "bytes": sum(map(len, files.values())),
        "manifest_sha256": sha256((folder / MANIFEST).read_bytes()),
    }
