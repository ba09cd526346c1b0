import errno
import sys

import numpy as np
import pytest

from robustzoo import datasets


@pytest.fixture
def cache(tmp_path):
    """A decoded MNIST of 30 training and 10 test images."""
    generator = np.random.default_rng(0)
    arrays = {"label_names": np.array([str(i) for i in range(10)])}
    for split, count in (("train", 30), ("test", 10)):
        arrays[f"{split}_pixels"] = generator.integers(0, 256, (count, 28, 28, 1)).astype("uint8")
        arrays[f"{split}_labels"] = (np.arange(count) % 10).astype("int32")
    np.savez(tmp_path / "mnist.npz", **arrays)
    return tmp_path


def test_splits_are_disjoint_fixed_and_whole(cache):
    first, second = (datasets.load("mnist", validation=6, cache_dir=cache) for _ in range(2))
    assert (len(first.train), len(first.validation), len(first.test)) == (24, 6, 10)
    np.testing.assert_array_equal(first.validation.pixels, second.validation.pixels)
    held, kept = ({p.tobytes() for p in s.pixels} for s in (first.validation, first.train))
    assert not held & kept and len(held | kept) == 30


def test_images_are_float32_in_the_unit_interval(cache):
    images = datasets.load("mnist", validation=6, cache_dir=cache).test.images
    assert images.dtype == np.float32 and images.min() >= 0 and images.max() <= 1


def test_class_filter_renumbers(cache):
    data = datasets.load("mnist", classes=(7, 1), validation=2, cache_dir=cache)
    assert data.label_names == ("7", "1") and len(data.test) == 2
    np.testing.assert_array_equal(data.test.labels, [1, 0])  # a 1, then a 7


def test_sample_is_seeded(cache):
    test = datasets.load("mnist", validation=6, cache_dir=cache).test
    np.testing.assert_array_equal(test.sample(4, 1).labels, test.sample(4, 1).labels)
    assert len(test.sample(4)) == 4 and test.sample(99) is test
    for count in (0, -3):
        with pytest.raises(ValueError, match=f"count must be at least 1. Received: {count}"):
            test.sample(count)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"classes": (0, 10)}, "classes must be distinct"),
        ({"classes": ()}, "classes must be distinct"),
        ({"classes": 3}, "classes must be distinct integers.*Received: 3"),
        ({"classes": (True, False)}, "classes must be distinct"),
        ({"validation": 30}, r"0 \.\. 29"),
    ],
)
def test_bad_options(cache, options, message):
    with pytest.raises(ValueError, match=message):
        datasets.load("mnist", cache_dir=cache, **{"validation": 6, **options})


def test_unknown_name_offers_the_closest():
    with pytest.raises(ValueError, match="Did you mean 'cifar10'"):
        datasets.load("cifar-10")


def test_without_tensorflow_the_error_says_what_to_copy(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(ImportError, match="copy the file mnist.npz"):
        datasets.load("mnist", cache_dir=tmp_path)


def test_a_cut_cache_file_is_decoded_again(cache, monkeypatch):
    file = cache / "mnist.npz"
    with np.load(file) as whole:
        arrays = dict(whole)
    file.write_bytes(file.read_bytes()[:1000])
    monkeypatch.setattr(datasets, "_decode", lambda name: arrays)
    assert len(datasets.load("mnist", validation=6, cache_dir=cache).test) == 10
    np.load(file).close()


def test_a_cache_file_that_cannot_be_read_now_is_kept(cache, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(datasets, "open", refuse, raising=False)
    with pytest.raises(OSError, match="decoded mnist cannot be read: .*Too many open files"):
        datasets.load("mnist", cache_dir=cache)
    monkeypatch.undo()
    assert len(datasets.load("mnist", validation=6, cache_dir=cache).test) == 10


@pytest.mark.parametrize("name, classes", [("cifar100", 100), ("svhn", 10)])
def test_decodes_by_the_description_of_tensorflow_datasets(name, classes, tmp_path, monkeypatch):
    """Which needs no network, as the images would."""
    tfds = pytest.importorskip("tensorflow_datasets")
    about = tfds.builder(datasets.NAMES[name], data_dir=tmp_path).info
    split = {key: np.zeros((2, *f.shape), f.np_dtype) for key, f in about.features.items()}
    split["label"][1] = classes - 1
    monkeypatch.setattr(tfds, "load", lambda *_, **__: ([split, split], about))
    monkeypatch.setattr(tfds, "as_numpy", lambda splits: splits)
    data = datasets.load(name, validation=1, cache_dir=tmp_path)
    assert (len(data.label_names), data.test.images.shape) == (classes, (2, 32, 32, 3))
    np.testing.assert_array_equal(data.test.labels, [0, classes - 1])
