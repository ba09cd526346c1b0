"""Make a model folder of the checkout a released model."""

import re
from pathlib import Path

from robustzoo.zoo import locate, registry
from robustzoo.zoo.card import describe_threat, write_card
from robustzoo.zoo.config import check_config
from robustzoo.zoo.folder import (
    MAX_RELEASED_BYTES,
    parse_json,
    read_folder,
    write_json,
    write_manifest,
)
from robustzoo.zoo.header import read_header
from robustzoo.zoo.records import at_threat, check_certificate, check_evaluation, left, parts

SAMPLE = ("dataset", "split", "examples", "sample_seed")  # facts that say which images were taken


def register(folder: str | Path, revision: str | None = None) -> dict:
    """Renews card and manifest of model_cards/<name> and pins the manifest in registry.json.

    Args:
        folder: a folder in the checkout's model_cards/.
        revision: full commit on the Hub that holds exactly this folder; where None, a revision
            registered earlier stays as long as the manifest is the same.

    Returns the registry entry. Raises ValueError outside a checkout, or if
    `revision` is not a full commit, or the folder too large.
    """
    folder = Path(folder).resolve()
    if folder.parent != locate.CHECKOUT.resolve():
        raise ValueError(f"only folders in {locate.CHECKOUT} are released. Received: {folder}")
    if revision is not None and not re.fullmatch("[0-9a-f]{40}", revision):
        raise ValueError(f"revision must be a full commit, 40 hex digits. Received: {revision!r}")
    write_card(folder)
    manifest = write_manifest(folder)
    files = read_folder(folder, manifest)
    check_released_size(sum(map(len, files.values())), folder)
    known = facts(files)
    entries = registry.released()  # read last: another command may have registered meanwhile
    former = entries.get(folder.name, {})
    if revision is None and former.get("manifest_sha256") == manifest:
        revision = former["revision"]
    entries[folder.name] = {"manifest_sha256": manifest, "revision": revision, **known}
    write_json(registry.REGISTRY, dict(sorted(entries.items())))
    return entries[folder.name]


def check_released_size(size: int, folder: Path) -> None:
    """Raises ValueError if a folder of so many bytes is too large for the repository."""
    if size > MAX_RELEASED_BYTES:
        raise ValueError(
            f"{folder}: {size} bytes; a released folder may have {MAX_RELEASED_BYTES}. Larger ones "
            "may lie anywhere else, and on the Hub"
        )


def facts(files: dict[str, bytes]) -> dict:
    """What a list of models shows of one, from the contents of its folder."""
    config = check_config(parse_json(files["config.json"], "config.json"))
    tensors = read_header(files["model.safetensors"])
    threat = config["threat"] or {"norm": None, "eps": None}
    return {
        "architecture": config["architecture"],
        "dataset": config["dataset"],
        "defense": config["defense"],
        "norm": threat["norm"],
        "eps": threat["eps"],
        "parameters": sum(tensor.count for tensor in tensors.values()),
        "bytes": len(files["model.safetensors"]),
        **_accuracies(files, config),
        "certified": _certified(files, config),
    }


def _accuracies(files: dict[str, bytes], config: dict) -> dict:
    """The least that any record leaves at the eps claimed; clean of the one of most images."""
    if "eval.json" not in files:
        return {"clean": None, "robust": None, "robust_attack": None}
    records = parts(check_evaluation(parse_json(files["eval.json"], "eval.json")))
    same = at_threat(records, config["threat"])
    records = same or records[:1]
    largest = max(records, key=lambda part: part["examples"])
    worst = min(records, key=left)
    clean = [r["accuracy"] for r in largest["results"] if r["attack"] == "none"]
    attacks = [r["label"] for r in worst["results"] if r["attack"] != "none"]
    label = attacks[0] if len(attacks) == 1 else f"worst of {', '.join(attacks)}"
    if not same:
        label += f" at {describe_threat(worst['threat'])}"
    if worst["examples"] < largest["examples"]:
        label += f", {worst['examples']:,} images"
    return {
        "clean": clean[0] if clean else None,
        "robust": worst.get("worst_case_accuracy") if attacks else None,
        "robust_attack": label if attacks else None,
    }


def _certified(files: dict[str, bytes], config: dict) -> dict | None:
    """The certificate at the eps that the model claims, if there is one, else the first."""
    if "certificate.json" not in files:
        return None
    record = parse_json(files["certificate.json"], "certificate.json")
    record = check_certificate(record, files["model.safetensors"])
    part = (at_threat(parts(record), config["threat"]) or [record])[0]
    return {
        **part["threat"],
        "examples": part["examples"],
        "clean": part["accuracy"],
        "attacked": _attacked(files, part),
        "accuracy": part["certified_accuracy"],
        "methods": part["methods"],
    }


def _attacked(files: dict[str, bytes], part: dict) -> float:
    """The least that any attack left of the same images at the same eps."""
    shares = [part["attacked"]["accuracy"]]
    if "eval.json" in files:
        evaluation = check_evaluation(parse_json(files["eval.json"], "eval.json"))
        for each in at_threat(parts(evaluation), part["threat"]):
            if all(each.get(key) == part[key] for key in SAMPLE):
                shares.append(left(each))
    return min(shares)
