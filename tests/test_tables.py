"""A table resumes, and shows what was measured under which facts."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest
from click.testing import CliRunner

from robustzoo.certification import CascadeReport
from robustzoo.datasets import Split
from tests.tiny import tiny_batch, tiny_classifier
from training.tables import _table, cascade, distillation, lwa, madry_trades, rce_auc
from training.tables._table import Table, need

COLUMNS = ["model", "published", "ours"]


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    monkeypatch.setattr(_table, "FOLDER", tmp_path)
    monkeypatch.setattr(_table, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(_table, "CARDS", tmp_path / "cards")
    return tmp_path


def fail():
    raise RuntimeError("measured again")


def test_goes_on_where_it_was_under_the_same_facts():
    row = {"model": "a", "ours": 0.5}
    Table("t", "T", COLUMNS, {"images": 10}).row("a", lambda: row)
    assert Table("t", "T", COLUMNS, {"images": 10}).row("a", fail) == row
    with pytest.raises(RuntimeError, match="again"):
        Table("t", "T", COLUMNS, {"images": 20}).row("a", fail)


def test_measures_again_once_a_model_is_trained_anew(folders):
    def released(name, sha256):
        (folders / "cards" / name).mkdir(parents=True, exist_ok=True)
        manifest = {"model.safetensors": {"sha256": sha256, "size": 1}}
        (folders / "cards" / name / "manifest.json").write_text(json.dumps(manifest))

    row = {"model": "a", "ours": 0.5}
    released("a", "1")
    released("b", "1")
    Table("t", "T", COLUMNS, {"models": ["a"]}).row("a", lambda: row, "a")
    released("b", "2")  # of another row
    assert Table("t", "T", COLUMNS, {"models": ["a", "b"]}).row("a", fail, "a") == row
    released("a", "2")
    with pytest.raises(RuntimeError, match="again"):
        Table("t", "T", COLUMNS, {}).row("a", fail, "a")
    with pytest.raises(ValueError, match="'a' was trained anew meanwhile"):
        Table("t", "T", COLUMNS, {}).row("a", lambda: released("a", "3") or row, "a")


def test_writes_markdown_and_numbers(folders, monkeypatch):
    monkeypatch.setattr("sys.argv", ["t.py", "--examples", "10"])
    table = Table("t", "Title", COLUMNS, {"images": 10})
    table.row("a", lambda: {"model": "a", "published": 0.25, "ours": 1 / 3})
    text = table.write(["It falls."]).read_text()
    assert "| a | 0.25 | 0.3333 |" in text and "- It falls." in text and "images: 10" in text
    assert "`python -m training.tables.t --examples 10`" in text
    assert json.loads((folders / "t.json").read_text())["rows"][0]["ours"] == 1 / 3
    assert not (folders / "runs" / "t.json").exists()


def test_a_full_disk_leaves_the_rows_of_before(folders, monkeypatch):
    row = Table("t", "T", COLUMNS, {}).row("a", lambda: {"model": "a"})

    def full(path, text, **options):
        path.write_bytes(text[:10].encode())
        raise OSError("no space left")

    with monkeypatch.context() as patched, pytest.raises(OSError, match="no space"):
        patched.setattr(Path, "write_text", full)
        Table("t", "T", COLUMNS, {}).row("b", lambda: {"model": "b"})
    assert Table("t", "T", COLUMNS, {}).row("a", fail) == row


def test_madry_trades_reads_the_records_of_all_suites(folders, monkeypatch):
    monkeypatch.setattr(madry_trades, "CARDS", folders)
    pgd = {"label": "PGD-20 x 5", "accuracy": 0.5, "arguments": {"restarts": 5}}
    first = {"results": [pgd], "threat": {"norm": "linf", "eps": "0.3"}, "examples": 10}
    first |= {"suite": "pgd", "worst_case_accuracy": 0.45, "command": "a"}
    other = {"suite": "autoattack", "worst_case_accuracy": 0.4, "examples": 5, "command": "b"}
    other = first | other
    (folders / "net").mkdir()
    for further, ours in (([], (None, 0.45, "10", "a")), ([other], (0.4, 0.4, "5", "b"))):
        (folders / "net" / "eval.json").write_text(json.dumps(first | {"further": further}))
        found = madry_trades.measured("net", "AutoAttack")
        assert found == dict(zip(madry_trades.COLUMNS[6:], (ours[0], None, *ours[1:]), strict=True))
        row = madry_trades.measured("net", "PGD-20")
        worst = (0.4, "10; 5", "a; b") if further else (0.45, "10", "a")
        assert tuple(row.values()) == (0.5, 5, *worst)


def test_cascade_tells_claims_from_proofs(folders, monkeypatch):
    certified = np.array([[True, False, False, False], [True, True, True, False]])
    predicted = np.array([[1, 1, 0, 1], [1, 1, 1, 1]])
    report = CascadeReport(cascade.THREAT, np.array([1, 1, 1, 0]), predicted, certified)
    monkeypatch.setattr(cascade, "measured", lambda examples: report)
    monkeypatch.setattr(cascade, "STAGES", ("ibp-mnist-01", cascade.SAME_NET))
    monkeypatch.setattr(cascade, "CARDS", folders)
    facts = {"dataset": "mnist", "threat": {"norm": "linf", "eps": "0.1"}, "sample_seed": None}
    flat = {"threat": {"norm": "linf", "eps": "0"}}
    cards = (
        ("good", 0.9, {}),
        ("poor", 0.8, {}),
        ("weak", 1.0, flat),
        ("few", 1.0, {"sample_seed": 0}),
    )
    for name, proved, other in cards:
        (folders / name).mkdir()
        record = facts | {"accuracy": 0.95, "certified_accuracy": proved} | other
        (folders / name / "certificate.json").write_text(json.dumps(record))
    result = CliRunner().invoke(cascade.main, ["--examples", "4"])
    assert result.exit_code == 0, result.exception
    rows = json.loads((folders / "cascade.json").read_text())["rows"]
    errors = [[row.get(column) for column in cascade.COLUMNS[3:]] for row in rows]
    assert errors[:3] == [[0.5, 0.75, None, 1], [0.25, 0.25, None, 3], [0.25, None, 0.25, 4]]
    assert rows[3]["model"].startswith("good") and errors[3][1] == pytest.approx(0.1)
    assert rows[2]["published robust error"] == 0.0313
    assert [row.get("published robust error") for row in rows[:2]] == [None, 0.0448]
    text = (folders / "cascade.md").read_text()
    assert "has no certificate" in text and "an error of 10.00 %, of good" in text


def test_says_before_any_work_which_model_is_missing():
    need("trades-mnist")
    with pytest.raises(ValueError, match="'trades-mnits'; closest: trades-mnist"):
        need("trades-mnist", "trades-mnits")


def test_the_size_of_gradients_is_told_where_probabilities_underflow():
    """Of a lead of 1000 the other probabilities are exp(-1000): nothing in float64."""
    inputs = keras.Input((1, 1, 1))
    dense = keras.layers.Dense(2)
    model = keras.Model(inputs, dense(keras.layers.Flatten()(inputs)))
    for lead, rest in ((1.0, None), (1000.0, -1000.0)):
        dense.set_weights([np.array([[1.0, -1.0]]), np.array([lead, 0.0])])
        found = distillation.gradient_exponents(model, np.zeros((1, 1, 1, 1), "float32"))[0]
        # d p / dx = +-2 p (1 - p), p the logistic function of the lead
        p = 1 / (1 + np.exp(-lead))
        exact = np.log10(2) + (rest / np.log(10) if rest else np.log10(p * (1 - p)))
        assert found == pytest.approx(exact, abs=1e-6)


def test_refuses_a_column_that_is_not_there():
    with pytest.raises(ValueError, match="columns are"):
        Table("t", "T", COLUMNS, {}).row("a", lambda: {"our": 1})


def test_detectors_are_judged_by_the_attack_that_knows_them():
    def row(detector, ours, adaptive, found):
        cells = {"model": "net", "attack": "BIM", "detector": detector, "published": 117.5}
        cells |= {"ours": ours, "adaptive, pairs": found}
        return cells | ({"adaptive": adaptive} if found else {})

    rows = [row("confidence", 98.0, 55.0, 3), row("non-ME", 96.0, 92.0, 4)]
    rows += [row("K-density", 99.0, 70.0, 5), row("K-density", 97.0, None, 0)]
    _, nothing, missed, *verdicts = rce_auc.remarks(rows)
    below = "net BIM non-ME (96, published 117.5), net BIM K-density (97, published 117.5)."
    assert missed.endswith(f"the detector: {below}")
    assert "nothing that is wrong and accepted against net K-density:" in nothing
    ends = "it falls.", "it holds.", "it holds in part."
    assert all(told.endswith(end) for told, end in zip(verdicts, ends, strict=True))
    assert "at least 97.0 under the paper's attacks, 70.0 under" in verdicts[2]


def test_lwa_is_judged_by_both_surrogates_and_by_many_steps(monkeypatch):
    x, y = tiny_batch(16)
    model = tiny_classifier()
    monkeypatch.setattr(lwa.zoo, "load", lambda name: model)
    row = lwa.measured("lwa-mnist-mlp500", Split((255 * x).astype("uint8"), y))
    assert set(row) == {*lwa.COLUMNS, "adaptive"}
    assert row["published Adv_Alpha"] == 0.862
    assert row["adaptive"] <= min(row["ours Adv_Loss"], row["ours Adv_Alpha"]) <= row["clean"]
    told = lwa.verdicts([row, row | {"model": "standard-mnist"}])
    assert len(told) == 1 and told[0].startswith("lwa-mnist-mlp500 keeps")
