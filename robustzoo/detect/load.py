"""Reads a detector."""

import inspect
import json
import zipfile
from pathlib import Path

import keras
import numpy as np

from robustzoo.closest import closest
from robustzoo.detect._file import ARRAYS, CONFIG, DETECTORS
from robustzoo.detect.base import Detector
from robustzoo.hashes import fingerprint


def load(folder: str | Path, model: keras.Model) -> Detector:
    """The detector that `save` wrote to `folder`, fitted; nothing in it is unpickled or run.

    Args:
        model: the one it was fitted on, with the same weights.

    Raises ValueError where the folder is malformed or belongs to a model with other weights, and
    OSError where there is none.
    """
    folder = Path(folder)
    config = _config(folder / CONFIG)
    found = fingerprint(model)
    if config["model"] != found:
        raise ValueError(
            f"the detector in {folder} was fitted on a model with other weights: "
            f"expected sha256 {config['model']!s:.64}, {model.name} has {found}"
        )
    detector = DETECTORS[config["detector"]](model, **config["settings"])
    detector.use(_arrays(folder / ARRAYS, config["arrays"]))
    return detector


def _config(path):
    try:
        config = json.loads(path.read_text())
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from None
    keys = {"detector": str, "settings": dict, "model": str, "arrays": dict}
    if not isinstance(config, dict) or set(config) != set(keys):
        raise ValueError(f"{path} must hold {', '.join(keys)}")
    for key, kind in keys.items():
        if not isinstance(config[key], kind):
            raise ValueError(
                f"{path}: {key} must be {kind.__name__}. Received: {config[key]!r:.100}"
            )
    name = config["detector"]
    if name not in DETECTORS:
        close = closest(name, DETECTORS)
        raise ValueError(
            f"no detector {name!r:.100}; there are {', '.join(DETECTORS)}. Did you mean {close!r}?"
        )
    known = list(inspect.signature(DETECTORS[name]).parameters)[1:]  # without the model
    if set(config["settings"]) != set(known):
        raise ValueError(
            f"{path}: settings of {name} are {', '.join(known) or 'none'}. "
            f"Received: {', '.join(map(str, config['settings'])) or 'none'}"
        )
    return config


def _arrays(path, shapes):
    try:
        with open(path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is malformed: {error}") from None
    if set(arrays) != set(shapes):
        raise ValueError(f"{path} must hold {sorted(shapes)}. Received: {sorted(arrays)}")
    for name, array in arrays.items():
        if array.dtype != "float32" or list(array.shape) != shapes[name]:
            raise ValueError(
                f"{path}: {name} must be float32{shapes[name]}. "
                f"Received: {array.dtype}{list(array.shape)}"
            )
        if not np.isfinite(array).all():
            raise ValueError(f"{path}: {name} has NaN or Inf")
    return arrays
