"""The table of the MNIST family: a row for every member, measured, trained or neither."""

import json

import pytest

from training.family import FAMILIES
from training.tables import mnist_family
from training.tables.mnist_family import CLAIMS, COLUMNS, OWN_NETS, members, row_of, verdict


def record(eps="0.3", suite="pgd", worst=0.2, examples=100, **accuracies):
    accuracies = {"clean": 0.99, "FGSM": 0.9, "PGD-20": 0.8, "PGD-40 x 2": 0.7} | accuracies
    return {
        "results": [{"label": k, "accuracy": v} for k, v in accuracies.items()],
        "threat": {"norm": "linf", "eps": eps},
        "examples": examples,
        "suite": suite,
        "worst_case_accuracy": worst,
        "command": f"evaluate --eps {eps} --suite {suite}",
    }


@pytest.fixture
def folders(tmp_path, monkeypatch):
    monkeypatch.setattr(mnist_family, "CARDS", tmp_path)
    monkeypatch.setattr(mnist_family, "FOLDER", tmp_path)

    def release(recipe, first=None, *further):
        folder = tmp_path / recipe.replace("_", "-")
        folder.mkdir()
        (folder / "model.safetensors").touch()
        if first:
            (folder / "eval.json").write_text(json.dumps(first | {"further": further}))

    return release


def test_claims_are_of_members_whose_rows_say_what_is_not_there(folders):
    assert set(CLAIMS) <= set(FAMILIES["mnist"])
    assert members() == list(FAMILIES["mnist"])
    for recipe in (*members(), *OWN_NETS):
        row = row_of(recipe)
        assert set(row) <= set(COLUMNS) and row["published with"]
        assert row["command"] == f"not trained: python -m training.train {recipe}"
        assert "clean" not in row and verdict(row) is None
    folders("rat_mnist")
    folders("lwa_mnist_mlp500")
    assert members()[-1] == "lwa_mnist_mlp500"
    assert row_of("rat_mnist")["command"] == "not measured: robustzoo evaluate rat-mnist"


def test_reads_the_paper_s_attack_and_the_least_of_all_records_at_the_budget(folders):
    strong = record(suite="autoattack", worst=0.1, examples=10)
    folders("art_mnist", record("0.1", worst=0.0), record(), strong)
    row = row_of("art_mnist")
    assert (row["published clean"], row["published attacked"]) == (0.988, 0.932)
    assert (row["attacked"], row["nearest attack"], row["worst case"]) == (0.7, "PGD-40", 0.1)
    assert (row["budget"], row["images"], row["clean"]) == ("Linf 0.3", "100; 10", 0.99)
    assert "the defense falls" in verdict(row)
    folders("trades_mnist", record("0.1", worst=0.5))
    row = row_of("trades_mnist")
    assert row["budget"] == "Linf 0.1"
    assert verdict(row).endswith("50.0 % in the worst case; the paper's own: PGD-40, Linf 0.3.")


def test_a_baseline_claims_nothing_and_a_small_loss_is_no_fall(folders):
    folders("standard_mnist", record())
    assert verdict(row_of("standard_mnist")).endswith("believe the lower.")
    folders("mmc_mnist", record(worst=0.75))
    assert verdict(row_of("mmc_mnist")) is None
    folders("rce_mnist", record(worst=0.0, **{"PGD-20": 0.01}))
    assert "1.0 % after PGD-20 at Linf 0.3, 0.0 %" in verdict(row_of("rce_mnist"))
    folders("mixup_mnist", record(worst=0.0, **{"PGD-20": 0.01}))
    assert verdict(row_of("mixup_mnist")) is None


def test_takes_the_eps_of_the_paper_from_the_table_of_adp(folders, tmp_path):
    folders("adp_mnist", record())
    assert row_of("adp_mnist")["budget"] == "Linf 0.3"
    row = {"data": "mnist", "attack": "PGD 0.1", "paper's attack ADP": 0.6, "adaptive ADP": 0.2}
    other = {"data": "cifar10", "attack": "PGD 0.01", "paper's attack ADP": 0.3}
    table = {"rows": [other, row], "facts": {"images": "500 of the test set, drawn with seed 0"}}
    (tmp_path / "adp.json").write_text(json.dumps(table))
    row = row_of("adp_mnist")
    assert (row["budget"], row["attacked"], row["worst case"]) == ("Linf 0.1", 0.6, 0.2)
    assert (row["images"], row["clean"]) == ("500", 0.99)
    assert verdict(row).startswith("adp-mnist: 60.0 % after PGD-10 at Linf 0.1, 20.0 %")
