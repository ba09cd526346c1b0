"""The whole state of a training run in one file."""

import json
from pathlib import Path

import keras
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from robustzoo.whole_file import whole_file


def save_checkpoint(path: Path, defense: keras.Model, progress: dict, best: list | None) -> None:
    """Writes every variable of `defense` and its optimizer, `progress` and the `best` weights.

    The file is replaced at once, so a kill or a full disk leaves the previous one whole.
    """
    arrays = {name: np.asarray(value) for name, value in _named(defense)}
    for i, value in enumerate(best or []):
        arrays[f"best/{i:04d}"] = np.asarray(value)
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as work:
        save_file(arrays, work, metadata={"progress": json.dumps(progress)})


def read_checkpoint(path: Path) -> tuple[dict, dict, list | None]:
    """Returns progress, the arrays for `restore_checkpoint` and the best weights."""
    try:
        with safe_open(path, "np") as file:
            progress = json.loads(file.metadata()["progress"])
            arrays = {name: file.get_tensor(name) for name in file.keys()}
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path} is not a checkpoint of this trainer ({error}); start anew with --restart"
        ) from error
    best = [arrays.pop(name) for name in sorted(arrays) if name.startswith("best/")]
    return progress, arrays, best or None


def restore_checkpoint(defense: keras.Model, arrays: dict) -> None:
    """Assigns what `save_checkpoint` wrote; raises ValueError if the model is another one."""
    variables = _variables(defense)
    expected = [f"{i:04d}" for i in range(len(variables))]
    wrong = sorted(set(expected) ^ set(arrays))
    if not wrong:
        pairs = zip(expected, variables, strict=True)
        wrong = [name for name, v in pairs if tuple(v.shape) != arrays[name].shape]
    if wrong:
        raise ValueError(
            f"the checkpoint is of another model: variables {wrong[:3]} do not fit. Has the recipe "
            "changed since? Start anew with --restart"
        )
    for name, variable in zip(expected, variables, strict=True):
        variable.assign(arrays[name])


def _variables(defense):
    every = [*defense.variables, *defense.optimizer.variables, *defense.metrics_variables]
    return list({id(v): v for v in every}.values())  # metrics are among the model's own, too


def _named(defense):
    for i, variable in enumerate(_variables(defense)):
        # through a tensor: a variable mirrored on several devices is no array
        yield f"{i:04d}", keras.ops.convert_to_numpy(keras.ops.convert_to_tensor(variable))
