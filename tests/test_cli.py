"""The command line, on a model whose answers are known by hand.

It has 16 pixels and says "light" with logit sum(x) - 8 against "dark" with logit 0.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from robustzoo import architectures, cli, datasets, detect, evaluation, zoo
from robustzoo.attacks import fgsm
from robustzoo.certification import Certificate, program
from robustzoo.certification.program import Program
from robustzoo.cli import measure
from robustzoo.cli._show import table
from robustzoo.evaluation import SUITES, Report, gallery
from robustzoo.evaluation.attack_loss import LOSSES, OWN
from robustzoo.smoothing import SmoothedCertificate
from robustzoo.threats import Linf
from robustzoo.zoo import folder as zoo_folder
from robustzoo.zoo import locate, registry
from robustzoo.zoo.folder import write_json
from robustzoo.zoo.methods import methods

CONFIG = {
    "architecture": "linear",
    "arguments": {"input_shape": [4, 4, 1], "classes": 2},
    "dataset": "mnist",
    "threat": {"norm": "linf", "eps": "51/255"},
    "defense": "trades",
    "input_shape": [4, 4, 1],
    "labels": ["dark", "light"],
    "recipe": None,
    "license": "apache-2.0",
}
LIGHT = 153  # 0.6 * 255: logit 1.6; an attack by 51 reaches 102, logit -1.6
SIGMOID = 1 / (1 + np.exp(-1.6))


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    model = architectures.build(CONFIG["architecture"], CONFIG["arguments"])
    kernel = np.stack([np.zeros(16), np.ones(16)], axis=1)
    model.set_weights([kernel, np.array([0.0, -8.0])])
    return zoo.save(model, tmp_path_factory.mktemp("cards") / "trades-light", CONFIG)


@pytest.fixture
def folder(saved, tmp_path, monkeypatch):
    """The only model of a checkout, released as "trades-light"."""
    model_cards = tmp_path / "model_cards"
    folder = model_cards / "trades-light"
    folder.mkdir(parents=True)
    for file in saved.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr(locate, "CHECKOUT", model_cards)
    monkeypatch.setattr(locate, "BUNDLED", tmp_path / "bundled")
    monkeypatch.setattr(registry, "REGISTRY", tmp_path / "registry.json")
    registry.REGISTRY.write_text("{}")
    zoo.register(folder)
    return folder


@pytest.fixture
def image(tmp_path):
    return picture(tmp_path / "image.png", np.full((4, 4), LIGHT))


def picture(path, pixels, dtype="uint8"):
    Image.fromarray(np.asarray(pixels, dtype)).save(path)
    return path


def pixels_of(path):
    with Image.open(path) as image:
        return np.asarray(image)


def run(*arguments):
    result = CliRunner().invoke(cli.main, list(map(str, arguments)))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def succeed(*arguments):
    """Rows of the table that the command prints into a pipe."""
    result = run(*arguments)
    assert result.exit_code == 0, result.stderr
    return [line.split("\t") for line in result.stdout.splitlines()]


def fail(*arguments, code=1):
    """The one line that the command says."""
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (code, ""), result.stdout
    assert result.stderr.splitlines()[-1].startswith("Error: ")
    assert code == 2 or result.stderr.count("\n") == 1
    return result.stderr


def test_list(folder):
    (row,) = succeed("list")
    assert row[:6] == ["trades-light", "mnist", "linear", "trades", "Linf 51/255", "0.00M"]
    assert succeed("list", "trades-*", "--defense", "trades") == [row]
    nothing = run("list", "art-*")
    assert (nothing.exit_code, nothing.stdout) == (0, "")
    assert "none of the 1 released models" in nothing.stderr
    assert "one of trades. Received: 'art'" in fail("list", "--defense", "art")


def test_a_reader_that_stops_is_no_error():
    """As in `robustzoo list | head -1`: the pipe that is written to has no reader any more."""
    reader, writer = os.pipe()
    os.close(reader)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "robustzoo", "list"]
    process = subprocess.run(command, env=environment, stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert process.stderr == b""


def test_table_in_a_terminal(monkeypatch, capsys):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "dumb")
    table(["name", "clean"], [["[bold]x", None]])
    head, row = capsys.readouterr().out.splitlines()
    assert head.split() == ["name", "clean"]
    assert row.split() == ["[bold]x"]  # text from a folder is no markup


def test_info(folder):
    facts = dict(succeed("info", "trades-light"))
    assert facts["architecture"] == "linear"
    assert json.loads(run("info", folder, "--json").stdout)["config"] == CONFIG
    assert "closest: trades-light" in fail("info", "trade-light")


def test_download_and_verify(folder):
    assert succeed("download", "trades-light") == [[str(folder)]]
    ((name, state, files, _, digest),) = succeed("verify", "--all")
    assert (name, state, files) == ("trades-light", "ok", "3")
    assert digest == registry.released()["trades-light"]["manifest_sha256"]
    fail("verify", code=2)
    fail("verify", "trades-light", "--all", code=2)
    weights = bytearray((folder / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (folder / "model.safetensors").write_bytes(weights)
    assert "sha256" in fail("verify", "trades-light")
    everything = run("verify", "--all")
    assert everything.exit_code == 1
    assert "1 of 1 models" in everything.stderr and "trades-light: " in everything.stderr


def test_predict(folder, image):
    rows = succeed("predict", "trades-light", image)
    assert rows == [["light", f"{SIGMOID:.4f}"], ["dark", f"{1 - SIGMOID:.4f}"]]
    assert succeed("predict", folder, image, "--top", "1") == rows[:1]


def test_a_name_is_opened_with_the_registrys_pin(folder, image, monkeypatch):
    """All that is read of it, the weights once; and a folder once, on its own word."""
    reads = []

    def read_folder(path, expected_sha256=None, skip=()):
        reads.append((expected_sha256, "model.safetensors" not in skip))
        return zoo_folder.read_folder(path, expected_sha256, skip)

    monkeypatch.setattr("robustzoo.zoo.obtain.read_folder", read_folder)
    pin = registry.released()["trades-light"]["manifest_sha256"]
    for name, vouched in (("trades-light", pin), (folder, None)):
        reads.clear()
        succeed("predict", name, image)
        assert {expected for expected, _ in reads} == {vouched}
        assert sum(weights for _, weights in reads) == 1


def test_predict_fits_the_picture_and_says_so(folder, tmp_path):
    large = picture(tmp_path / "large.png", np.full((8, 6, 3), LIGHT))
    result = run("predict", "trades-light", large)
    assert result.stdout.startswith(f"light\t{SIGMOID:.4f}")
    assert "converted from RGB to L" in result.stderr
    assert "resized from 6 x 8 to 4 x 4" in result.stderr


def test_pictures_refused(folder, tmp_path):
    assert "8 bits per channel" in fail(
        "predict", folder, picture(tmp_path / "deep.png", np.full((4, 4), 40000), "uint16")
    )
    assert "there is no image" in fail("predict", folder, tmp_path / "none.png")
    (tmp_path / "text.png").write_text("no image")
    assert "cannot be read as an image" in fail("predict", folder, tmp_path / "text.png")


def test_attack_reaches_the_exact_worst_case(folder, image, tmp_path):
    clean, adversarial, figure = succeed("attack", "trades-light", image, "--steps", "10")
    output = tmp_path / "image-adversarial.png"
    assert clean == ["clean", "light", f"{SIGMOID:.4f}", str(image)]
    assert adversarial == ["adversarial", "dark", f"{SIGMOID:.4f}", str(output)]
    np.testing.assert_array_equal(pixels_of(output), np.full((4, 4), LIGHT - 51))
    assert pixels_of(figure[3]).shape[1] > 600


def test_attack_stays_in_a_budget_between_two_grey_levels(folder, image, tmp_path):
    output = tmp_path / "out.png"
    result = run("attack", folder, image, "--eps", "0.1", "--output", output, "--no-figure")
    assert "PGD-40 fails at Linf 0.1; the file is 0.0980 away" in result.stderr  # 25 of 25.5
    np.testing.assert_array_equal(pixels_of(output), np.full((4, 4), LIGHT - 25))
    assert not (tmp_path / "out-figure.png").exists()


def test_a_model_that_claims_nothing_is_attacked_as_usual(saved, image, tmp_path):
    model, arguments = zoo.load(saved), ("--no-figure", "--steps", "1")
    mnist = zoo.save(model, tmp_path / "standard-mnist", CONFIG | {"threat": None})
    assert "at Linf 0.3;" in run("attack", mnist, image, *arguments).stderr
    own = zoo.save(model, tmp_path / "own", CONFIG | {"threat": None, "dataset": "mine"})
    assert "give --eps" in fail("attack", own, image, *arguments)
    assert "at Linf 0.1;" in run("attack", own, image, *arguments, "--eps", "0.1").stderr


def test_targeted_attack(folder, image, tmp_path):
    result = run("attack", folder, image, "--target", "0", "--label", "light", "--no-figure")
    assert "succeeds" in result.stderr
    pixels = pixels_of(tmp_path / "image-adversarial.png")
    np.testing.assert_array_equal(pixels, np.full((4, 4), LIGHT - 51))


def test_attack_refuses(folder, image, tmp_path, monkeypatch):
    before = set(tmp_path.iterdir())
    attack = "attack", folder, image
    assert "closest: light" in fail(*attack, "--label", "ligt")
    assert "0 .. 1" in fail(*attack, "--label", "2")
    assert "must differ" in fail(*attack, "--label", "dark", "--target", "0")
    assert "must end in .png" in fail(*attack, "--output", tmp_path / "x.jpg")
    assert "there is no folder" in fail(*attack, "--output", tmp_path / "none" / "x.png")
    assert "not be the image itself" in fail(*attack, "--output", image)
    assert "eps must be" in fail(*attack, "--eps", "8/0")
    fail(*attack, "--steps", "0", code=2)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert "robustzoo[report]" in fail(*attack, "--figure")
    assert set(tmp_path.iterdir()) == before


def test_attack_without_matplotlib_writes_no_figure_and_says_so(
    folder, image, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = run("attack", folder, image)
    assert result.exit_code == 0 and "pip install matplotlib" in result.stderr
    assert [line.split("\t")[0] for line in result.stdout.splitlines()] == ["clean", "adversarial"]
    assert pixels_of(tmp_path / "image-adversarial.png").shape == (4, 4)
    assert not (tmp_path / "image-adversarial-figure.png").exists()
    assert "pip install" not in run("attack", folder, image, "--no-figure").stderr


@pytest.fixture
def three_images(monkeypatch):
    """A data set whose test set has a dark, a light and a very light image."""
    pixels = np.stack([np.full((4, 4, 1), level, "uint8") for level in (60, LIGHT, 240)])
    labels = np.array([0, 1, 1], "int32")
    arrays = {f"{split}_pixels": pixels for split in ("train", "test")}
    arrays |= {f"{split}_labels": labels for split in ("train", "test")}
    arrays["label_names"] = np.array(CONFIG["labels"])
    monkeypatch.setattr(datasets, "_arrays", lambda name, cache: arrays)
    monkeypatch.setattr(datasets.load, "__defaults__", (None, 0, None))


def test_evaluate_shows_a_name_and_renews_a_folder(folder, three_images):
    manifest = (folder / "manifest.json").read_bytes()
    rows = succeed("evaluate", "trades-light", "--restarts", "1")
    labels = ["clean", "FGSM", "PGD-20", "PGD-20 margin", "PGD-40", "worst case"]
    assert [row[0] for row in rows] == labels
    # Under attack by 51: 60 -> 111 stays dark (127.5), 153 -> 102 does not, 240 -> 189 does.
    assert [row[1] for row in rows] == ["100.00", *["66.67"] * 5]
    assert (folder / "manifest.json").read_bytes() == manifest
    told = run("evaluate", "trades-light", "--suite", "quick", "--examples", "1").output
    assert told.index("shown, not written") < told.index("clean")

    result = run("evaluate", folder, "--restarts", "1", "--batch-size", "2")
    assert "shown, not written" not in result.stderr
    assert "renewed card and manifest" in result.stderr
    record = json.loads((folder / "eval.json").read_text())
    assert record["command"] == "robustzoo evaluate trades-light --restarts 1 --batch-size 2"
    assert (record["examples"], record["sample_seed"]) == (3, None)
    assert record["worst_case_accuracy"] == pytest.approx(2 / 3, abs=1e-6)
    assert record["command"] in (folder / "README.md").read_text()
    assert succeed("verify", "--all")[0][1] == "ok"
    assert succeed("list")[0][6:8] == ["100.00", "66.67"]
    assert ["PGD-40", "66.67"] in [row[:2] for row in succeed("info", "trades-light")]


@pytest.fixture
def abstaining_folder(saved, tmp_path):
    """trades-light that rejects margins below 1; of two classes the confidence is the margin."""
    base = {"architecture": "linear", "arguments": CONFIG["arguments"]}
    arguments = {"base": base, "detector": "Confidence"}
    model = detect.abstaining(detect.Confidence(zoo.load(saved)), 1.0)
    labels = [*CONFIG["labels"], "rejected"]
    changed = {"architecture": "abstaining", "arguments": arguments, "labels": labels}
    return zoo.save(model, tmp_path / "abstaining-light", CONFIG | changed)


def test_evaluate_a_model_that_abstains(abstaining_folder, three_images, tmp_path):
    folder = abstaining_folder
    rows = succeed("evaluate", folder, "--restarts", "1")
    labels = ["clean", "PGD-40 class", "PGD-100 evasion", "BIM-100 evasion", "worst case"]
    # 0.6 becomes 0.4 at worst, a margin of -1.6: wrong and accepted.
    assert [row[0] for row in rows] == labels
    assert [row[1] for row in rows] == ["100.00", *["66.67"] * 4]
    record = json.loads((folder / "eval.json").read_text())
    assert (record["suite"], record["rejected"], record["findings"]) == ("evasion", 0.0, [])
    assert "the model itself" in record["not_checked"][0]
    card = (folder / "README.md").read_text()
    assert "rejects 0.00 % of these images without attack" in card
    # At 0.15 a margin of -0.8 is the worst, and rejected.
    rows = succeed("evaluate", folder, "--eps", "0.15", "--suite", "evasion")
    assert [row[1] for row in rows] == ["100.00"] * 5
    assert "its suite is evasion" in fail("evaluate", folder, "--suite", "pgd", code=2)
    assert "do not abstain" in fail("report", folder)
    for option in (("--loss", "margin"), ("--transfer", "trades-light")):
        assert "take rejection for success" in fail("evaluate", folder, *option, code=2)
    assert "as a model folder only" in fail("export", folder, tmp_path / "a.keras")


def test_a_model_that_abstains_names_its_rejection(abstaining_folder, image, tmp_path):
    unsure = picture(tmp_path / "unsure.png", np.full((4, 4), 130))  # a margin of 0.157
    assert succeed("predict", abstaining_folder, unsure)[0][0] == "rejected"
    assert succeed("predict", abstaining_folder, image)[0][0] == "light"
    attack = "attack", abstaining_folder, image
    assert succeed(*attack, "--no-figure")[1][1] == "dark"
    weak = run(*attack, "--no-figure", "--eps", "38/255")  # a margin of -0.784
    assert "PGD-40 fails" in weak.stderr and "rejected" in weak.stdout
    assert "one of dark, light or" in fail(*attack, "--target", "rejected")


def test_evasion_is_of_models_that_abstain(folder, three_images):
    assert "this one does not" in fail("evaluate", folder, "--suite", "evasion", code=2)


def test_evaluate_a_sample(folder, three_images):
    run("evaluate", folder, "--examples", "2", "--sample-seed", "5", "--eps", "10/255")
    record = json.loads((folder / "eval.json").read_text())
    assert (record["examples"], record["sample_seed"]) == (2, 5)
    assert record["threat"] == {"norm": "linf", "eps": "10/255"}


def test_evaluate_spares_what_is_proved(folder, three_images, monkeypatch):
    attacks = {"FGSM": fgsm(Linf(0.2))}  # the suite itself needs four classes
    monkeypatch.setattr(evaluation, "suite", lambda *arguments: attacks)
    whole = "evaluate", folder, "--suite", "autoattack"
    run(*whole)
    rows = succeed(*whole, "--prove", "ibp", "--prove", "crown-ibp")
    assert [row[:2] for row in rows][:2] == [["proved", "66.67"], ["clean", "100.00"]]
    record = json.loads((folder / "eval.json").read_text())
    assert "proved" not in record
    (spared,) = record["further"]  # attacks on all images say what these do not
    assert spared["results"][1]["gradients"] == record["results"][1]["gradients"] / 3
    assert spared["worst_case_accuracy"] == record["worst_case_accuracy"]
    assert spared["command"].endswith("--suite autoattack --prove ibp --prove crown-ibp")
    assert spared["proved"] | {"seconds": 0} == {
        "methods": ["ibp", "crown-ibp"], "examples": 2, "tolerance": 1e-4, "seconds": 0
    }  # fmt: skip
    card = (folder / "README.md").read_text()
    assert "and none the 2 images that ibp, crown-ibp proved robust." in card


def test_a_record_of_other_weights_is_not_written(folder, three_images, monkeypatch):
    def meanwhile(*args, **kwargs):
        (folder / "model.safetensors").write_bytes(b"of another training")
        return []

    monkeypatch.setattr("robustzoo.evaluation.checks.checks_not_made", meanwhile)
    assert "were replaced meanwhile" in run("evaluate", folder, "--suite", "quick").stderr
    assert not (folder / "eval.json").exists()


def test_a_record_that_no_card_can_be_made_of_leaves_the_folder_whole(
    folder, three_images, monkeypatch
):
    def refused(folder):
        zoo.write_card(folder)
        zoo.write_manifest(folder)
        raise ValueError("no card can be made")

    former = {path.name: path.read_bytes() for path in folder.iterdir()}
    monkeypatch.setattr(zoo, "register", refused)
    result = run("evaluate", folder, "--suite", "quick")
    assert result.exit_code == 1 and "no card can be made" in result.stderr
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == former


def test_evaluate_refuses_no_budget_before_any_work(folder, three_images):
    assert "eps must be above 0" in fail("evaluate", folder, "--eps", "0/255")


def test_evaluate_keeps_one_record_per_suite(folder, three_images, tmp_path):
    run("evaluate", folder, "--restarts", "1")
    for _ in range(2):
        result = run("evaluate", folder, "--suite", "quick", "--report", tmp_path / "all.json")
    assert "checks found nothing" in result.stderr
    assert "not checked: transfer beats white box (no transfer attack was run)\n" in result.stderr
    assert Report.read(tmp_path / "all.json").broken_by == [None, "FGSM", None]
    record = json.loads((folder / "eval.json").read_text())
    assert (record["suite"], [r["suite"] for r in record["further"]]) == ("pgd", ["quick"])
    card = (folder / "README.md").read_text()
    assert all(part["command"] in card for part in record["further"])
    assert card.count("Not checked: transfer beats white box (no transfer attack was run).") == 2
    rows = succeed("info", "trades-light")
    assert [row[0] for row in rows].count("worst case") == 2
    result = run("evaluate", folder, "--suite", "quick", "--examples", "2")
    assert "has the same of 3 images" in result.stderr  # a sample does not replace the whole
    assert json.loads((folder / "eval.json").read_text()) == record


def test_evaluate_keeps_the_record_of_more_effort_and_those_without_a_hash(folder, three_images):
    run("evaluate", folder, "--restarts", "2")
    record = json.loads((folder / "eval.json").read_text())
    result = run("evaluate", folder, "--restarts", "1")
    assert f"has the same with more effort: {record['command']}" in result.stderr
    assert json.loads((folder / "eval.json").read_text()) == record
    del record["weights_sha256"]  # as releases before there was one
    write_json(folder / "eval.json", record)
    zoo.write_manifest(folder)
    run("evaluate", folder, "--suite", "quick", "--examples", "2")
    kept = json.loads((folder / "eval.json").read_text())
    assert (kept["suite"], kept["examples"], len(kept["further"])) == ("pgd", 3, 1)


def test_evaluate_refuses_before_any_work(tmp_path):
    """Of a model that there is not, so it was not even looked for."""
    evaluate = "evaluate", tmp_path / "none"
    report = "--report", tmp_path / "missing" / "outcomes.json"
    assert "to write outcomes.json to" in fail(*evaluate, *report)
    assert "'quick'" in fail(*evaluate, "--suite", "quik", code=2)
    assert "'quick'" in fail("report", tmp_path / "none", "--suite", "quik", code=2)
    assert "'bfloat16'" in fail(*evaluate, "--precision", "bfloat", code=2)
    for command in ("evaluate", "report", "certify", "smooth"):
        assert "range x>=0" in fail(command, tmp_path / "none", "--sample-seed", "-1", code=2)
    for command in (evaluate, ("report", tmp_path / "none"), ("attack", tmp_path, "a.png")):
        for seed in (-1, 2**31):
            assert "range 0<=x<=2147483647" in fail(*command, "--seed", seed, code=2)
    refused = fail("evaluate", tmp_path / "mine.keras")
    assert "keras.models.load_model" in refused and "robustzoo.zoo.save" in refused
    unused = "--suite", "pgd", "--prove", "ibp"
    assert "--prove is of the suite autoattack. Received: pgd" in fail(*evaluate, *unused, code=2)
    unknown = "--suite", "autoattack", "--prove", "crwn"
    assert "closest: 'crown'" in fail(*evaluate, *unknown)
    unused = "--suite", "autoattack", "--restarts", "3"
    assert "of the suites pgd, paper and evasion" in fail(*evaluate, *unused, code=2)
    assert "at least 20 draws" in fail(*evaluate, "--suite", "rand", "--draws", "4", code=2)


def test_evaluate_renews_the_folder_even_if_its_report_cannot_be_written(
    folder, three_images, tmp_path, monkeypatch
):
    def save(report, path):
        raise OSError("the disk is full")

    monkeypatch.setattr(Report, "save", save)
    outcomes = "--report", tmp_path / "outcomes.json"
    result = run("evaluate", folder, "--suite", "quick", *outcomes)
    assert result.exit_code == 1 and "the disk is full" in result.stderr
    assert json.loads((folder / "eval.json").read_text())["suite"] == "quick"


@pytest.mark.parametrize(
    ("command", "output", "module", "work"),
    [
        (("evaluate", "--suite", "quick", "--report"), Report, "evaluation.evaluate", "run"),
        (("certify", "--output"), Certificate, "certification.certify", "_timed"),
        (
            ("smooth", "--sigma", "0.5", "--draws", "50", "--output"),
            SmoothedCertificate,
            "smoothing._votes",
            "forward",
        ),
    ],
)
def test_what_could_not_be_written_need_not_be_computed_again(
    folder, three_images, tmp_path, monkeypatch, command, output, module, work
):
    """The same command goes on where it was once the disk has room; then its journal goes."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    module = sys.modules[f"robustzoo.{module}"]
    monkeypatch.setattr(module, "EVERY", 0.0, raising=False)
    command = command[0], "trades-light", *command[1:], tmp_path / "out.json"

    def save(self, path):
        raise OSError("the disk is full")

    with monkeypatch.context() as full:
        full.setattr(output, "save", save)
        assert "the disk is full" in run(*command).stderr
    (kept,) = (tmp_path / "cache").rglob("*.npz")
    monkeypatch.setattr(module, work, None)
    succeed(*command)
    assert not kept.exists() and (tmp_path / "out.json").exists()


@pytest.mark.parametrize(
    "command",
    [
        ("evaluate", "--suite", "quick", "--report", "out.json"),
        ("certify", "--output", "out.json"),
        ("certify", "--method", "ibp", "--radius", "out.json"),
        ("certify", "--method", "ibp", "--curve", "out.png"),
        ("smooth", "--sigma", "0.5", "--draws", "50", "--output", "out.json"),
        ("smooth", "--sigma", "0.5", "--draws", "50", "--figure", "out.png"),
        ("report", "--examples", "2", "--output", "out.html"),
    ],
    ids=lambda command: f"{command[0]} {command[-2]}",
)
def test_a_full_disk_leaves_the_former_output(folder, three_images, tmp_path, monkeypatch, command):
    """Writing stops in the middle, as it does there."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(gallery, "BUDGETS", (0.0, 1.0))
    output = tmp_path / command[-1]
    output.write_text("former")
    write = Path.write_bytes

    def full(path, content):
        if path.name == output.name:
            write(path, content[:10])
            raise OSError("the disk is full")
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    monkeypatch.setattr(Path, "write_text", lambda p, text, **_: full(p, text.encode()))
    result = run(command[0], "trades-light", *command[1:-1], output)
    assert "the disk is full" in result.stderr
    assert output.read_text() == "former"


def test_certify_proves_what_no_attack_breaks(folder, three_images, tmp_path):
    rows = succeed("certify", "trades-light", "--output", tmp_path / "proof.json")
    assert [row[:2] for row in rows] == [
        ["clean", "100.00"],
        *([label, "66.67"] for label in ("FGSM", "PGD-20", "PGD-20 margin", "PGD-40")),
        ["certified", "66.67"],  # a linear model: intervals are exact
    ]
    proof = Certificate.read(tmp_path / "proof.json")
    np.testing.assert_array_equal(proof.certified, [True, False, True])
    assert "closest: 'crown'" in fail("certify", "trades-light", "--method", "crwn")
    assert not (folder / "certificate.json").exists()


def test_certify_renews_a_folder(folder, three_images):
    assert succeed("list", "--certified") == []
    methods = "--method", "ibp", "--method", "crown-ibp"
    result = run("certify", folder, *methods, "--output", folder.parent / "proof.json")
    assert "renewed card and manifest" in result.stderr
    record = json.loads((folder / "certificate.json").read_text())
    assert record["command"] == f"robustzoo certify trades-light {' '.join(methods)}"
    assert (record["examples"], record["sample_seed"], record["split"]) == (3, None, "test")
    assert [record[key] for key in ("accuracy", "certified_accuracy")] == [1.0, 0.666667]
    assert record["attacked"]["label"] == "FGSM"  # of the strongest attacks the first
    assert record["attacked"]["accuracy"] == record["certified_accuracy"]
    card = (folder / "README.md").read_text()
    for fact in (
        "name: certified, Linf 0.2",
        "Proved for 3 images of mnist (test split), threat Linf 0.2.",
        "by ibp, crown-ibp; a margin counts above 0.0001 of the largest logit",
        "hidden bounds in float64",
        "| FGSM | step_size=0.2",
        record["command"],
        "`certificate.json`",
    ):
        assert fact in card
    assert succeed("verify", "--all")[0][1:3] == ["ok", "4"]
    assert dict(succeed("info", "trades-light"))["certified"] == "66.67 % within Linf 0.2"
    (row,) = succeed("list", "--certified", "trades-*")
    assert row[4:] == ["Linf 0.2", "100.00", "66.67", "66.67", "3", "ibp, crown-ibp"]
    run("evaluate", folder, "--suite", "quick")
    (row,) = succeed("list", "--certified")
    assert row[6] == "66.67"
    assert json.loads(run("info", folder, "--json").stdout)["certificate"] == record


def test_certify_keeps_one_record_per_threat(folder, three_images):
    for eps in ("10/255", "51/255", "10/255"):
        run("certify", folder, "--eps", eps, "--examples", "2", "--sample-seed", "5")
    record = json.loads((folder / "certificate.json").read_text())
    threats = [part["threat"]["eps"] for part in (record, *record["further"])]
    assert threats == ["10/255", "0.2"] and record["sample_seed"] == 5
    # What the model claims to resist is listed, not what came first.
    assert succeed("list", "--certified")[0][4] == "Linf 0.2"


def test_certify_keeps_the_record_of_more_methods(folder, three_images):
    run("certify", folder)
    record = (folder / "certificate.json").read_bytes()
    assert "with more effort" in run("certify", folder, "--method", "ibp").stderr
    assert (folder / "certificate.json").read_bytes() == record


def test_certify_refuses_what_is_both_certified_and_broken(folder, three_images, monkeypatch):
    monkeypatch.setattr(Certificate, "certified", np.array([True, True, True]))
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    result = run("certify", folder)
    assert result.exit_code == 1
    assert "1 images are certified and yet broken" in result.stderr and "[1]" in result.stderr
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_certify_draws_a_curve_and_asks_other_verifiers(
    folder, three_images, tmp_path, monkeypatch
):
    pytest.importorskip("onnx")
    monkeypatch.setattr(gallery, "BUDGETS", (0.0, 1.0))
    curve, queries = tmp_path / "curve.png", tmp_path / "queries"
    queries.mkdir()
    result = run("certify", "trades-light", "--curve", curve, "--export", queries)
    for what in ("PGD-40", "certified"):  # what no attack breaks is proved of a linear model
        assert f"trades-light, {what}: 100.0, 66.7" in result.stderr
    assert pixels_of(curve).shape[1] > 600
    names = sorted(path.name for path in queries.iterdir())
    assert names == [*(f"image-{k}.vnnlib" for k in range(3)), "model.onnx"]


def test_certify_finds_every_radius(folder, three_images, tmp_path):
    """The boundary is 0.265, 0.1 and 0.441 away; intervals of a linear model are exact."""
    file = tmp_path / "radii.json"
    rows = succeed("certify", "trades-light", "--method", "ibp", "--radius", file)
    assert rows[-2][:2] == ["certified", "66.67"] and rows[-1][0] == "median radius"
    found = json.loads(file.read_text())
    exact = np.abs(np.array([60, LIGHT, 240]) / 255 - 0.5)
    np.testing.assert_allclose(found.pop("radius"), exact, atol=2.0 / 2**11)
    assert float(rows[-1][1]) == pytest.approx(exact[0], abs=1e-3)
    assert found == {"norm": "linf", "methods": ["ibp"], "largest": 1.0, "steps": 12}


def test_certify_limits_the_solver(folder, three_images, monkeypatch):
    limits, least = [], Program.least

    def limited(self, first, second, seconds):
        limits.append(seconds)
        return least(self, first, second, seconds)

    monkeypatch.setattr(Program, "least", limited)
    for options in ((), ("--seconds", "7")):
        rows = succeed("certify", "trades-light", "--method", "milp", *options)
        assert rows[-1][:2] == ["certified", "66.67"]
    assert limits == [60.0, 7.0]  # of the image that lines leave


def test_certify_refuses_before_any_work(folder, three_images, tmp_path, monkeypatch):
    assert "must end in .png" in fail("certify", folder, "--curve", tmp_path / "curve.jpg")
    fail("certify", folder, "--export", tmp_path / "none", code=2)
    assert "no folder" in fail("certify", tmp_path / "none", "--output", tmp_path / "a" / "b.json")
    assert "eps must be above 0" in fail("certify", folder, "--eps", "0")
    assert "no folder" in fail("certify", folder, "--radius", tmp_path / "a" / "radii.json")
    refused = fail("certify", folder, "--method", "crown", "--seconds", "5", code=2)
    assert "--seconds is of the methods lp and milp. Received: crown" in refused
    assert "range x>0" in fail("certify", folder, "--seconds", "0", code=2)
    monkeypatch.setattr(program, "MAX_VARIABLES", 9)
    monkeypatch.setattr(evaluation, "suite", None)  # attacks come before proofs
    assert "at most 9 units" in fail("certify", folder, "--method", "ibp", "--method", "milp")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert "give no --curve" in fail("certify", folder, "--curve", tmp_path / "curve.png")


def test_smooth_certifies_radii(folder, three_images, tmp_path):
    """The boundary is 4.24 / 4, 1.6 / 4 and 7.06 / 4 away; 1,000 draws prove at most 1.23."""
    files = "--output", tmp_path / "radii.json", "--figure", tmp_path / "radii.png"
    rows = succeed("smooth", "trades-light", "--sigma", "0.5", *files)
    shares = {"0": "100.00", "0.25": "100.00", "0.5": "66.67", "0.75": "66.67", "1": "33.33"}
    assert rows == [*([f"L2 {eps}", share] for eps, share in shares.items()), ["abstained", "0.00"]]
    proof = SmoothedCertificate.read(tmp_path / "radii.json")
    assert (proof.radius < [1.06, 0.4, 1.77]).all() and (proof.radius > [0.8, 0.25, 1.2]).all()
    assert pixels_of(tmp_path / "radii.png").shape[1] > 600
    few = run("smooth", "trades-light", "--sigma", "0.5", "--examples", "2", "--draws", "50")
    assert "2 test images" in few.stderr and "not about the model itself" in few.stderr
    assert not (folder / "smoothing.json").exists()


def test_smooth_renews_a_folder(folder, three_images):
    for sigma in ("0.5", "0.25"):
        result = run("smooth", folder, "--sigma", sigma, "--draws", "50")
        assert "renewed card and manifest" in result.stderr
    assert "with more effort" in run("smooth", folder, "--sigma", "0.5", "--draws", "20").stderr
    record = json.loads((folder / "smoothing.json").read_text())
    assert (record["sigma"], record["n"], record["examples"]) == (0.5, 50, 3)
    assert record["command"] == "robustzoo smooth trades-light --sigma 0.5 --draws 50"
    assert [part["sigma"] for part in record["further"]] == [0.25]
    assert "| L2 radius | Certified accuracy (%) |" in (folder / "README.md").read_text()
    assert "smoothing" not in dict(succeed("info", folder))
    assert json.loads(run("info", folder, "--json").stdout)["smoothing"] == record


@pytest.mark.parametrize(
    ("command", "module", "name"),
    [
        (("certify",), "certification.certify", "_timed"),
        (("smooth", "--sigma", "0.5", "--batch-size", "1100"), "smoothing._votes", "forward"),
    ],
)
def test_a_proof_goes_on_after_an_interruption(
    folder, three_images, tmp_path, monkeypatch, command, module, name
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    module = sys.modules[f"robustzoo.{module}"]  # the package has a function of that name
    monkeypatch.setattr(module, "EVERY", 0.0)
    work, calls = getattr(module, name), []

    def failing(*arguments):
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return work(*arguments)

    monkeypatch.setattr(module, name, failing)
    assert run(command[0], "trades-light", *command[1:]).exit_code == 1
    kept = tmp_path / "cache" / "robustzoo" / "certificates"
    assert len(calls) == 3 and len(list(kept.iterdir())) == 1
    succeed(command[0], "trades-light", *command[1:])
    assert 3 < len(calls) <= 5 and not list(kept.iterdir())


def test_smooth_refuses(folder, three_images, tmp_path, monkeypatch):
    smooth = "smooth", "trades-light"
    fail(*smooth, code=2)
    fail(*smooth, "--sigma", "0", code=2)
    fail(*smooth, "--sigma", "1", "--alpha", "1", code=2)
    missing = "--output", tmp_path / "a" / "b.json"
    assert "no folder" in fail("smooth", tmp_path / "none", "--sigma", "1", *missing)
    assert "n must be at least 10" in run(*smooth, "--sigma", "1", "--draws", "9").stderr
    assert "sigma must be a finite number" in run(*smooth, "--sigma", "nan").stderr
    figure = *smooth, "--sigma", "1", "--figure"
    assert "must end in .png" in fail(*figure, tmp_path / "radii.jpg")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert "give no --figure" in fail(*figure, tmp_path / "radii.png")


def test_suites_and_losses_are_those_of_the_package():
    assert measure.SUITES == tuple(SUITES)
    assert measure.LOSSES == ("own", *LOSSES)
    assert set(OWN) <= set(methods())


def test_evaluate_by_a_loss_of_ones_choice(folder, three_images):
    """In eval.json it takes the place of the same suite without; a trades model has none."""
    suite = "--suite", "quick"
    run("evaluate", folder, *suite)
    rows = succeed("evaluate", folder, *suite, "--loss", "margin")
    assert [row[:2] for row in rows[-2:]] == [["APGD margin", "66.67"], ["worst case", "66.67"]]
    record = json.loads((folder / "eval.json").read_text())
    assert record["results"][-1]["label"] == "APGD margin" and not record["further"]
    assert record["command"].endswith("--suite quick --loss margin")
    assert "with more effort" in run("evaluate", folder, *suite).stderr
    result = run("evaluate", folder, *suite, "--loss", "own")
    assert result.exit_code == 1 and "trades has no loss of its own" in result.stderr


def test_evaluate_refuses_a_loss_of_more_classes_before_any_work(
    folder, three_images, tmp_path, monkeypatch
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    result = run("evaluate", folder, "--suite", "quick", "--loss", "dlr")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "dlr needs at least 3 classes" in result.stderr
    assert not (tmp_path / "cache").exists()


def test_evaluate_by_what_breaks_another_model(folder, abstaining_folder, three_images):
    other = "--transfer", abstaining_folder
    assert "needs a model of the same labels" in run("evaluate", folder, *other).stderr
    # The other is the same net: what breaks it breaks this one, and nothing is left to check.
    rows = succeed("evaluate", folder, "--suite", "quick", "--transfer", "trades-light")
    assert [row[:2] for row in rows[-2:]] == [
        ["PGD-40 from trades-light", "66.67"], ["worst case", "66.67"]
    ]  # fmt: skip
    record = json.loads((folder / "eval.json").read_text())
    assert record["results"][-1]["attack"] == "Transfer" and record["not_checked"] == []
    assert record["command"].endswith("--suite quick --transfer trades-light")
    assert "no released model" in run("evaluate", folder, "--transfer", "trades-lite").stderr


def test_export(folder, image, tmp_path):
    succeed("export", "trades-light", tmp_path / "light.keras")
    model = keras.models.load_model(tmp_path / "light.keras")
    logits = keras.ops.convert_to_numpy(model(np.full((1, 4, 4, 1), 0.6, "float32")))
    np.testing.assert_allclose(logits, [[0.0, 1.6]], atol=1e-5)
    assert "must end in .keras" in fail("export", "trades-light", tmp_path / "light.h5")


def test_push_verifies_first(folder):
    (folder / "config.json").write_text("{}")
    assert "config.json" in fail("push", folder, "org/light")
