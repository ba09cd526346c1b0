"""Half-done work on disk."""

import json
import time
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from robustzoo.hashes import sha256, structure
from robustzoo.late_removal import remove
from robustzoo.provenance import versions
from robustzoo.whole_file import whole_file


class Journal:
    """Arrays by key, kept on disk as they come, so that the same call goes on when interrupted.

    What other code or other versions began is not gone on with.

    Args:
        folder: where the file lies; None keeps everything in memory.
        model: what the work is about. One that cannot tell its structure is kept no journal of, for
            weights and outputs may be those of another.
        facts: all else that decides the outcome, as JSON can tell it; they name the file.
        every: seconds that pass between two writes at least.
    """

    def __init__(self, folder: str | Path | None, model, facts: list, every: float = 0.0):
        told = folder and structure(model)
        name = told and _name([told, sha256(*model.get_weights()), *facts])
        self.path = Path(folder) / f"{name}.npz" if name else None
        self.every, self._written = every, time.monotonic()
        self.entries = self._read() if self.path else {}

    def __contains__(self, key: str):
        return key in self.entries

    def get(self, key: str) -> np.ndarray:
        """The array put under `key`."""
        return self.entries[key]

    def put(self, entries: Mapping[str, np.ndarray]) -> None:
        """Keeps all of `entries` or none, on disk as well if there is a folder and it is time."""
        self.entries |= entries
        if not self.path or time.monotonic() < self._written + self.every:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(self.path) as work:
                np.savez(work, **self.entries)
        except OSError as error:
            warnings.warn(f"an interruption would lose this work: {error}", stacklevel=2)
            self.path = None  # goes on in memory
        self._written = time.monotonic()

    def close(self) -> None:
        """The work is done: removes the file, in a command once its outputs are written."""
        if self.path:
            remove(self.path)

    def _read(self):
        if not self.path.exists():
            return {}
        try:
            with open(self.path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
                return {key: file[key] for key in file.files}
        except (ValueError, OSError, EOFError, zipfile.BadZipFile):
            return {}  # cut short: begin anew


def _name(facts):
    """Of `facts`, the package's own files and what they compute with."""
    files = sorted(Path(__file__).parent.rglob("*.py"))
    sources = sha256(*(file.read_bytes() for file in files))
    return sha256(json.dumps([*facts, sources, versions()]).encode())[:32]
