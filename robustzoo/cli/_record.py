"""The records of a model folder that the commands renew."""

import shlex
from collections.abc import Callable
from pathlib import Path

import click
from click.core import ParameterSource

from robustzoo.cli._show import notice
from robustzoo.writable import writable


def command_line(*models: tuple[str, Path], without: tuple = ()) -> str:
    """The command that runs on `models`, (name, folder) each, without options of no consequence.

    A released model is called by its name, so that the command runs elsewhere too.
    """
    context = click.get_current_context()
    names = [folder.resolve().name if _in_checkout(folder) else name for name, folder in models]
    words = ["robustzoo", context.info_name, *names]
    for option in context.command.params:
        if context.get_parameter_source(option.name) is ParameterSource.COMMANDLINE:
            if isinstance(option, click.Option) and option.name not in without:
                given = context.params[option.name]
                for value in given if option.multiple else [given]:
                    words += [option.opts[0], str(value)]
    return shlex.join(words)


def weights_to_renew(name: str, folder: Path) -> str | None:
    """Says before any work that what is measured will only be shown, unless `name` is a folder.

    Returns the sha256 of the weights, None where nothing will be written. Raises OSError if the
    folder cannot be written to.
    """
    if not _is_folder(name):
        notice(f"to be shown, not written: give a folder, e.g. model_cards/{folder.name}, to renew")
        return None
    writable(folder / "manifest.json")
    return _weights(folder)


def renew(
    folder: Path, weights: str | None, file: str, record: dict, kind: Callable, effort: Callable
) -> None:
    """Writes `record` of `weights`, what `weights_to_renew` returned, and renews card and manifest.

    In `file` it takes the place of the record that has the same `kind(record)`, unless that is of
    more images, or of as many and `effort(record)`, numbers or a set, is less than its own;
    records of other weights go.
    """
    from robustzoo.zoo.card import read_facts
    from robustzoo.zoo.records import parts

    if weights is None:
        return
    if weights != _weights(folder):
        return notice(f"shown, not written: the weights in {folder} were replaced meanwhile")
    # A record without the hash is older than these, and saving other weights removes it.
    records = parts(read_facts(folder, file))
    kept = [r for r in records if r.get("weights_sha256", weights) == weights]
    for same in (r for r in kept if kind(r) == kind(record)):
        if same["examples"] > record["examples"]:
            of = f"{same['examples']:,} images"
            return notice(f"shown, not written: {folder / file} has the same of {of}")
        if same["examples"] == record["examples"] and effort(record) < effort(same):
            what = f"shown, not written: {folder / file} has the same with more effort"
            return notice(f"{what}: {same['command']}")
    _write(folder, file, _filed(kept, record | {"weights_sha256": weights}, kind))
    notice(f"wrote {folder / file} and renewed card and manifest")


def _write(folder, file, record):
    """Leaves the folder as it was if card or manifest cannot be renewed."""
    from robustzoo import zoo
    from robustzoo.zoo.folder import write_json

    paths = [folder / name for name in (file, "README.md", "manifest.json")]
    former = {path: path.read_bytes() for path in paths if path.exists()}
    try:
        write_json(folder / file, record)
        if _in_checkout(folder):
            zoo.register(folder)
        else:
            zoo.write_card(folder)
            zoo.write_manifest(folder)
    except BaseException:
        for path in paths:
            path.write_bytes(former[path]) if path in former else path.unlink(missing_ok=True)
        raise


def _weights(folder):
    from robustzoo.hashes import sha256

    return sha256((folder / "model.safetensors").read_bytes())


def _filed(kept, record, kind):
    """Records as one file holds them: the first, and those further in it."""
    kinds = [kind(r) for r in kept]
    if kind(record) in kinds:
        kept[kinds.index(kind(record))] = record
    else:
        kept.append(record)
    return {key: value for key, value in kept[0].items() if key != "further"} | {
        "further": kept[1:]
    }


def _is_folder(name):
    from robustzoo.zoo.locate import is_folder

    return not str(name).startswith("hf://") and is_folder(name)


def _in_checkout(folder):
    from robustzoo.zoo import locate

    return folder.resolve().parent == locate.CHECKOUT.resolve()
