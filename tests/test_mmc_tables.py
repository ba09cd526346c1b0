"""The tables of MMC: what is printed for a model that is there, and for one that is not."""

import pytest

from robustzoo import zoo
from robustzoo.architectures import center_head
from robustzoo.datasets import Split
from tests.tiny import tiny_batch, tiny_classifier
from training.tables import _prototypes, mmc_depth, mmc_other, mmc_whitebox
from training.tables._prototypes import ATTACKS, COLUMNS, Models
from training.tables._table import not_released


@pytest.fixture
def models(monkeypatch):
    x, y = tiny_batch(8)
    split = Split((255 * x).astype("uint8"), y)
    monkeypatch.setattr(zoo, "list_models", lambda: ["mmc-tiny"])
    monkeypatch.setattr(zoo, "load", lambda name: center_head(tiny_classifier(), dim=3))
    models = Models(8)
    models.data = lambda dataset: split
    return models


def test_a_model_that_is_not_released_has_only_published_cells(models):
    row = models.row("cifar10", "MMC", "mmc-cifar10", "8/255", "92.7 48.7 36.0 <1 24.8")
    assert row["published clean"] == 0.927 and row["published PGD-50 tar"] == "< 0.01"
    assert row["published PGD-50 un"] == 0.248
    assert not any(name.startswith("paper's") or name in ("clean", "adaptive") for name in row)


def test_a_released_one_is_measured_and_the_adaptive_attack_leaves_least(models):
    row = models.row("cifar10", "MMC", "mmc-tiny", "8/255", "")
    assert set(row) == set(COLUMNS)
    assert row["adaptive"] <= row["paper's PGD-50 un"] <= row["clean"]
    assert "believe the lower" in _prototypes.verdict([row])[0]


def test_every_published_row_has_a_cell_for_every_attack():
    for _, _, clean, *values in mmc_whitebox.CIFAR10 + [row[1:] for row in mmc_depth.ROWS]:
        counts = {len(f"{clean} {cells}".split()) for cells in values}
        assert counts in ({1 + len(ATTACKS)}, {0})
    for name, values in mmc_other.PUBLISHED.values():
        assert len(mmc_other._attacks(None, name, 1, 1)) == len(values.split())


def test_noise_of_more_draws_leaves_no_more():
    x, y = tiny_batch(16)
    split = Split((255 * x).astype("uint8"), y)
    model = tiny_classifier()
    few, many = (mmc_other.noisy(model, split, draws) for draws in (1, 5))
    assert many <= few


def test_a_table_says_where_mmc_falls_and_which_recipes_were_not_run():
    row = {"model": "MMC", "attack": "SPSA-10 un 8/255", "published": 0.569}
    row |= {"paper's attack": 0.24, "adaptive": 0.0}
    none = [row | {"adaptive": 0.24}, row | {"adaptive": None}, row | {"attack": "noise"}]
    (told,) = mmc_other.falls([row, row | {"model": "SCE"}, *none])
    assert told.startswith("MMC under SPSA-10 un 8/255: 24% here, 57% published, and 0% after")
    assert not_released(["mmc-mnist"]) == []
    (told,) = not_released(["mmc-mnist", "mmc-cifar10-resnet47"])
    assert told.endswith("have not run: mmc_cifar10_resnet47.")
