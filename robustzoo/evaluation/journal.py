"""Half-done evaluations on disk."""

import warnings
import zipfile
from pathlib import Path

import numpy as np

from robustzoo.whole_file import whole_file


class Journal:
    """Arrays by key, kept on disk after every `put`, so that an interrupted evaluation goes on.

    Args:
        folder: where the file lies; None keeps everything in memory.
        fingerprint: hexadecimal, of all that decides the outcome; it names the file.
    """

    def __init__(self, folder: str | Path | None, fingerprint: str):
        self.path = folder and Path(folder) / f"{fingerprint[:32]}.npz"
        self.entries = self._read() if self.path else {}

    def __contains__(self, key: str):
        return key in self.entries

    def get(self, key: str) -> np.ndarray:
        """The array put under `key`."""
        return self.entries[key]

    def put(self, key: str, value: np.ndarray) -> None:
        """Keeps `value`, on disk as well if there is a folder."""
        self.entries[key] = value
        if not self.path:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(self.path) as work:
                np.savez(work, **self.entries)
        except OSError as error:
            warnings.warn(f"an interruption would lose this evaluation: {error}", stacklevel=2)
            self.path = None  # goes on in memory

    def close(self) -> None:
        """The evaluation is done: removes the file."""
        if self.path:
            self.path.unlink(missing_ok=True)

    def _read(self):
        if not self.path.exists():
            return {}
        try:
            with open(self.path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
                return {key: file[key] for key in file.files}
        except (ValueError, OSError, EOFError, zipfile.BadZipFile):
            return {}  # cut short: begin anew
