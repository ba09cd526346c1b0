"""Image datasets as arrays, through tensorflow-datasets.

    data = load("cifar10")
    data.test.images   # float32 (10000, 32, 32, 3) in [0, 1]
    data.test.labels   # int32 (10000,)

The first `load` decodes a dataset once into `<cache>/<name>.npz`, which later loads, and machines
without TensorFlow, read. tensorflow-datasets looks in `TFDS_DATA_DIR` and downloads what is not
there.
"""

import dataclasses
import numbers
import os
import warnings
import zipfile
from pathlib import Path

import numpy as np

from robustzoo.closest import closest
from robustzoo.whole_file import whole_file

NAMES = {  # ours -> tensorflow-datasets'
    "mnist": "mnist",
    "fashion_mnist": "fashion_mnist",
    "cifar10": "cifar10",
    "cifar100": "cifar100",
    "svhn": "svhn_cropped",
}


@dataclasses.dataclass(frozen=True)
class Split:
    """Images and labels; `pixels` (N, H, W, C) are uint8, `labels` int32 (N,)."""

    pixels: np.ndarray
    labels: np.ndarray

    @property
    def images(self) -> np.ndarray:
        """float32 (N, H, W, C) in [0, 1]: pixels / 255, made at each call."""
        return self.pixels.astype("float32") / np.float32(255)

    def __len__(self):
        return len(self.labels)

    def take(self, rows) -> "Split":
        """The examples at `rows`, an index array or a slice."""
        return Split(self.pixels[rows], self.labels[rows])

    def sample(self, count: int, seed: int = 0) -> "Split":
        """`count` examples drawn without replacement; itself if it has no more."""
        if count < 1:
            raise ValueError(f"count must be at least 1. Received: {count}")
        if count >= len(self):
            return self
        return self.take(np.sort(np.random.default_rng(seed).permutation(len(self))[:count]))


@dataclasses.dataclass(frozen=True)
class Dataset:
    """`train`, `validation` (cut from the training set with a fixed seed) and `test`."""

    name: str
    train: Split
    validation: Split
    test: Split
    label_names: tuple[str, ...]


def load(
    name: str,
    classes: tuple[int, ...] | None = None,
    validation: int = 5000,
    cache_dir: str | os.PathLike | None = None,
) -> Dataset:
    """Loads a dataset by name.

    Args:
        name: "mnist", "fashion_mnist", "cifar10", "cifar100" or "svhn".
        classes: keep these labels only, renumbered 0, 1, ... in the order given: (0, 1) of MNIST
            is a binary problem.
        validation: number of training examples set aside, the same ones every time.
        cache_dir: where the decoded copy lies; by default `robustzoo/datasets` in the user's cache.
    """
    if not isinstance(name, str) or name not in NAMES:
        close = closest(name, NAMES)
        raise ValueError(
            f"no dataset {name!r}; there are {', '.join(NAMES)}. Did you mean {close!r}?"
        )
    arrays = _arrays(name, Path(cache_dir) if cache_dir else cache_folder("datasets"))
    labels = tuple(str(label) for label in arrays["label_names"])
    splits = [Split(arrays[f"{s}_pixels"], arrays[f"{s}_labels"]) for s in ("train", "test")]
    if classes is not None:
        splits = [_only(split, classes, len(labels)) for split in splits]
        labels = tuple(labels[c] for c in classes)
    train, test = splits
    if not 0 <= validation < len(train):
        raise ValueError(
            f"validation must lie in 0 .. {len(train) - 1}, the training examples of {name}. "
            f"Received: {validation}"
        )
    order = np.random.default_rng(0).permutation(len(train))
    held_out, kept = np.sort(order[:validation]), np.sort(order[validation:])
    return Dataset(name, train.take(kept), train.take(held_out), test, labels)


def _only(split, classes, total):
    good = isinstance(classes, tuple | list) and all(
        isinstance(c, numbers.Integral) and not isinstance(c, bool) and 0 <= c < total
        for c in classes
    )
    if not good or len(set(classes)) != len(classes) or not classes:
        raise ValueError(
            f"classes must be distinct integers in 0 .. {total - 1}. Received: {classes!r}"
        )
    renumber = np.full(total, -1, "int32")
    renumber[list(classes)] = np.arange(len(classes))
    labels = renumber[split.labels]
    return Split(split.pixels[labels >= 0], labels[labels >= 0])


def cache_folder(room: str) -> Path:
    """The folder `robustzoo/<room>` in the user's cache."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "robustzoo" / room


def _arrays(name, cache):
    path = cache / f"{name}.npz"
    if path.exists():
        try:
            # np.load of a path leaves the file open when it is no whole archive
            with open(path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
                return {key: file[key] for key in file.files}
        except (ValueError, EOFError, zipfile.BadZipFile):
            path.unlink(missing_ok=True)  # cut short, by a full disk say: decode it again
        except OSError as error:  # says nothing about the file, which TensorFlow alone can remake
            raise OSError(f"the decoded {name} cannot be read: {error}") from error
    arrays = _decode(name)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as work:
            np.savez(work, **arrays)
    except OSError as error:
        warnings.warn(f"{name} was decoded but not kept in {cache}: {error}", stacklevel=3)
    return arrays


def _decode(name):
    try:
        import tensorflow_datasets as tfds
    except ImportError as error:
        raise ImportError(
            f"decoding {name} needs tensorflow and tensorflow-datasets ({error}). On a machine "
            f"that has them run robustzoo.datasets.load({name!r}), then copy the file {name}.npz "
            f"from its cache to {cache_folder('datasets')} here"
        ) from error
    try:
        splits, about = tfds.load(
            NAMES[name], split=["train", "test"], batch_size=-1, with_info=True
        )
    except Exception as error:  # tfds raises whatever its downloader raised
        raise OSError(
            f"{name} could be neither found nor downloaded by tensorflow-datasets (TFDS_DATA_DIR "
            f"is {os.environ.get('TFDS_DATA_DIR', 'not set')}): {type(error).__name__}: {error}"
        ) from error
    arrays = {"label_names": np.array(about.features["label"].names)}
    for split, data in zip(("train", "test"), tfds.as_numpy(splits), strict=True):
        arrays[f"{split}_pixels"] = data["image"]
        arrays[f"{split}_labels"] = data["label"].astype("int32")
    return arrays
