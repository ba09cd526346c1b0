"""Write a model as a model folder."""

import os
import shutil
import tempfile
from pathlib import Path

from robustzoo.zoo.card import write_card
from robustzoo.zoo.config import check_config
from robustzoo.zoo.folder import MANIFEST, OPTIONAL, REQUIRED, write_json, write_manifest
from robustzoo.zoo.records import check_evaluation, check_training


def save(
    model,
    folder: str | Path,
    config: dict,
    training: dict | None = None,
    evaluation: dict | None = None,
) -> Path:
    """Writes config.json, model.safetensors, the records, README.md and manifest.json.

    The folder is written beside its place and then moved there: an interrupted save leaves what
    was there before. A former model folder in that place is replaced, records included.

    Args:
        model: the classifier that `config` describes; its weights must be finite.
        folder: where to; its name is the name of the model.
        config: what config.json holds, see `zoo.config`.
        training, evaluation: what training.json and eval.json hold; absent where None.

    Returns the folder. Raises ValueError, before anything is written, if `config` does not build
    a model with the weights of `model`, and FileExistsError if `folder` holds anything else.
    """
    from robustzoo.zoo.build import build
    from robustzoo.zoo.weights import assign, pack

    check_config(config)
    check_training(training)
    folder = Path(folder).resolve()
    _check_replaceable(folder)
    weights = pack(model)
    check_evaluation(evaluation, weights)
    assign(build(config), weights)  # what cannot be loaded is not saved
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        new = work / "new"
        new.mkdir()
        write_json(new / "config.json", config)
        (new / "model.safetensors").write_bytes(weights)
        for file, record in (("training.json", training), ("eval.json", evaluation)):
            if record is not None:
                write_json(new / file, record)
        write_card(new, folder.name)
        write_manifest(new)
        if folder.exists():
            os.replace(folder, work / "old")
        os.replace(new, folder)
    finally:
        if (work / "old").exists() and not folder.exists():
            os.replace(work / "old", folder)
        shutil.rmtree(work)
    return folder


def _check_replaceable(folder: Path) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise FileExistsError(f"{folder} is a file; a model is saved to a folder")
    found = {entry.name for entry in os.scandir(folder)}
    own = {*REQUIRED, *OPTIONAL, MANIFEST}
    # A README.md alone may be anybody's.
    other = sorted(found - own if "config.json" in found else found)
    if other:
        raise FileExistsError(f"{folder} holds {other[:5]}, which saving would delete")
