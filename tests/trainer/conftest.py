import numpy as np
import pytest

from tests.trainer.runs import write_recipe


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """The folder to work in, with the recipe and a decoded MNIST of 64 + 5,000 images."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    cache = tmp_path / "cache" / "robustzoo" / "datasets"
    cache.mkdir(parents=True)
    generator = np.random.default_rng(0)
    arrays = {"label_names": np.array([str(i) for i in range(10)])}
    for split, count in (("train", 5064), ("test", 10)):
        arrays[f"{split}_pixels"] = generator.integers(0, 256, (count, 28, 28, 1)).astype("uint8")
        arrays[f"{split}_labels"] = generator.integers(0, 10, count).astype("int32")
    np.savez(cache / "mnist.npz", **arrays)
    write_recipe(tmp_path)
    return tmp_path
