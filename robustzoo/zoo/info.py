"""Everything known about a model without building it."""

from pathlib import Path

from robustzoo.hashes import sha256
from robustzoo.zoo.config import check_config
from robustzoo.zoo.folder import MANIFEST, parse_json
from robustzoo.zoo.locate import is_folder, local_folder
from robustzoo.zoo.methods import methods
from robustzoo.zoo.obtain import obtain
from robustzoo.zoo.records import check_records
from robustzoo.zoo.register import facts
from robustzoo.zoo.registry import released_entry


def info(name: str | Path) -> dict:
    """Returns the facts of the registry and, where the folder is at hand, of its verified records.

    The Hub is asked only for "hf://org/repo@revision".

    Returns {"name", "folder" (None where only the registry is known), "manifest_sha256",
    "revision", "architecture", "dataset", "defense", "norm", "eps", "parameters", "bytes",
    "clean", "robust", "robust_attack", "certified" (None, or threat, examples, accuracies and
    methods of a certificate), "method" (see `methods`, None for a defense not of ours)} and, with
    a folder, "config", "training", "evaluation", "certificate" and "smoothing" (None where there is
    no such record). Errors are those of `load`.
    """
    address = str(name).startswith("hf://")
    known = {} if address or is_folder(name) else released_entry(name)
    if known and local_folder(name) is None:
        return {"name": name, "folder": None, **known, "method": methods().get(known["defense"])}
    folder, files = obtain(name)
    records = check_records(files)
    about = {**facts(files), **known}
    return {
        "name": str(name) if known or address else folder.resolve().name,
        "folder": folder,
        "manifest_sha256": sha256((folder / MANIFEST).read_bytes()),
        "revision": None,
        **about,
        "method": methods().get(about["defense"]),
        "config": check_config(parse_json(files["config.json"], "config.json")),
        **records,
    }
