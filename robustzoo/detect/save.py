"""Writes a detector."""

import json
from pathlib import Path

import numpy as np

from robustzoo.detect._file import ARRAYS, CONFIG
from robustzoo.detect.base import Detector
from robustzoo.hashes import fingerprint


def save(detector: Detector, folder: str | Path) -> Path:
    """Writes detector.json and arrays.npz to `folder`, which is returned; the model is not in it.

    Args:
        detector: fitted.
        folder: made where there is none.
    """
    detector.fitted()
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "detector": type(detector).__name__,
        "settings": detector.settings,
        "model": fingerprint(detector.model),
        "arrays": {name: list(array.shape) for name, array in detector.arrays.items()},
    }
    np.savez_compressed(folder / ARRAYS, **detector.arrays)
    (folder / CONFIG).write_text(json.dumps(config, indent=1) + "\n")
    return folder
