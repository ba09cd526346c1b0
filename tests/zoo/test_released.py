"""The registry: names, facts, filters, and that a released name is what was released."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from robustzoo import zoo
from robustzoo.hashes import sha256
from robustzoo.zoo import locate, registry
from robustzoo.zoo.build import _size
from robustzoo.zoo.folder import MismatchError, read_folder
from robustzoo.zoo.header import SIZES, read_header
from robustzoo.zoo.methods import methods
from robustzoo.zoo.records import check_records
from robustzoo.zoo.weights import pack
from tests.zoo.records import CONFIG, EVALUATION, TRAINING

FACTS = {
    "architecture": "mlp",
    "dataset": "mnist",
    "defense": "trades",
    "norm": "linf",
    "eps": "3/10",
    "parameters": 16 * 5 + 5 + 5 * 3 + 3,
    "clean": 0.9931,
    "robust": 0.95,
    "robust_attack": "PGD-40 x 3",
    "certified": None,
}


def entry(**changes):
    return {**FACTS, "manifest_sha256": "0" * 64, "revision": None, "bytes": 1, **changes}


@pytest.fixture
def names(monkeypatch, tmp_path):
    """A registry of four made-up releases."""
    entries = {
        "trades-mnist": entry(),
        "trades-cifar10": entry(dataset="cifar10", architecture="wide_resnet", eps="8/255"),
        "standard-mnist": entry(defense="standard", norm=None, eps=None),
        "smoothing-mnist": entry(
            defense="smoothing", norm="l2", eps="1/2", certified={"accuracy": 0.5}
        ),
    }
    monkeypatch.setattr(registry, "REGISTRY", tmp_path / "registry.json")
    registry.REGISTRY.write_text(json.dumps(entries))
    return entries


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ({}, ["smoothing-mnist", "standard-mnist", "trades-cifar10", "trades-mnist"]),
        ({"pattern": "trades-*"}, ["trades-cifar10", "trades-mnist"]),
        ({"pattern": "*-mnist", "norm": "linf"}, ["trades-mnist"]),
        ({"norm": "l2"}, ["smoothing-mnist"]),
        ({"defense": "trades", "dataset": "mnist"}, ["trades-mnist"]),
        ({"architecture": "wide_resnet"}, ["trades-cifar10"]),
        ({"pattern": "nothing"}, []),
        ({"certified": True}, ["smoothing-mnist"]),
        ({"certified": True, "norm": "linf"}, []),
    ],
)
def test_list_models(names, arguments, found):
    assert zoo.list_models(**arguments) == found


def test_a_fact_that_no_model_has_is_refused_with_the_valid_ones(names):
    with pytest.raises(ValueError, match="dataset must be one of cifar10, mnist. Received: 'cfar'"):
        zoo.list_models(dataset="cfar")


@pytest.mark.parametrize("function", [zoo.load, zoo.info, zoo.verify, zoo.download])
def test_an_unknown_name_offers_the_closest(names, function):
    with pytest.raises(ValueError, match="'trade-mnst'; closest: trades-mnist"):
        function("trade-mnst")


def test_register_pins_manifest_and_facts(checkout):
    known = zoo.register(checkout)
    assert registry.released() == {checkout.name: known}
    assert known["manifest_sha256"] == sha256((checkout / "manifest.json").read_bytes())
    assert known["bytes"] == (checkout / "model.safetensors").stat().st_size
    assert known["revision"] is None
    assert {key: known[key] for key in FACTS} == FACTS


def test_register_refuses_what_is_too_large_for_a_repository(checkout, monkeypatch):
    monkeypatch.setattr(sys.modules["robustzoo.zoo.register"], "MAX_RELEASED_BYTES", 100)
    before = registry.REGISTRY.read_bytes()
    with pytest.raises(ValueError, match="a released folder may have 100"):
        zoo.register(checkout)
    assert registry.REGISTRY.read_bytes() == before


def test_register_keeps_the_revision_only_as_long_as_nothing_changed(checkout):
    zoo.register(checkout, revision="a" * 40)
    assert zoo.register(checkout)["revision"] == "a" * 40
    (checkout / "training.json").unlink()
    assert zoo.register(checkout)["revision"] is None


def test_register_renews_card_and_manifest(checkout):
    (checkout / "README.md").write_text("edited by hand")
    (checkout / "eval.json").unlink()
    known = zoo.register(checkout)
    assert "Not measured." in (checkout / "README.md").read_text()
    assert known["clean"] is known["robust"] is known["robust_attack"] is None
    zoo.verify(checkout.name)


@pytest.mark.parametrize("revision", ["main", "abc", "A" * 40])
def test_register_takes_full_commits_only(checkout, revision):
    with pytest.raises(ValueError, match="40 hex digits"):
        zoo.register(checkout, revision=revision)
    assert registry.released() == {}


def test_register_outside_a_checkout_is_refused(saved, checkout):
    with pytest.raises(ValueError, match="only folders in"):
        zoo.register(saved)


def test_the_label_names_all_attacks_and_another_threat(checkout, model):
    results = [*EVALUATION["results"], {**EVALUATION["results"][1], "label": "FGSM"}]
    evaluation = {
        **EVALUATION,
        "results": results,
        "threat": {"norm": "linf", "eps": "1/10"},
    }
    zoo.save(model, checkout, CONFIG, TRAINING, evaluation)
    assert zoo.register(checkout)["robust_attack"] == "worst of PGD-40 x 3, FGSM at Linf 1/10"


def test_the_list_has_the_least_of_all_records_at_the_eps_claimed(checkout, model):
    """A stronger attack of fewer images counts, one at another eps does not."""
    stronger = {
        **EVALUATION,
        "examples": 500,
        "results": [EVALUATION["results"][0], {**EVALUATION["results"][1], "label": "APGD-T"}],
        "worst_case_accuracy": 0.25,
    }
    larger = {**stronger, "threat": {"norm": "linf", "eps": "1/2"}, "worst_case_accuracy": 0.125}
    zoo.save(model, checkout, CONFIG, TRAINING, {**EVALUATION, "further": [larger, stronger]})
    known = zoo.register(checkout)
    assert (known["clean"], known["robust"]) == (0.9931, 0.25)
    assert known["robust_attack"] == "APGD-T, 500 images"
    card = (checkout / "README.md").read_text()
    results = ModelCard(card).data.eval_results
    assert {(r.metric_name, r.metric_args["examples"]) for r in results} >= {
        ("PGD-40 x 3, Linf 3/10", EVALUATION["examples"]),
        ("APGD-T, Linf 3/10", 500),
        ("APGD-T, Linf 1/2", 500),
    }


def test_a_released_name_loads_from_the_checkout(checkout, model):
    zoo.register(checkout)
    assert pack(zoo.load(checkout.name)) == pack(model)
    assert zoo.download(checkout.name) == checkout
    assert zoo.verify()[checkout.name]["folder"] == checkout


def test_the_bundled_folder_comes_first(checkout, tmp_path):
    zoo.register(checkout)
    locate.BUNDLED.mkdir()
    checkout.rename(locate.BUNDLED / checkout.name)
    assert zoo.download(checkout.name) == locate.BUNDLED / checkout.name


def test_a_whole_folder_that_is_not_the_release_is_refused(checkout, model, assigned):
    zoo.register(checkout)
    zoo.save(model, checkout, CONFIG)
    del assigned[:]
    with pytest.raises(MismatchError, match="not the released one: expected sha256 .* actual"):
        zoo.load(checkout.name)
    assert not assigned
    zoo.load(checkout)  # by its path it is only a folder, and whole


def test_a_directory_does_not_pass_for_a_released_name(checkout, model, tmp_path, monkeypatch):
    zoo.register(checkout)
    monkeypatch.chdir(tmp_path / "..")
    zoo.save(zoo.load(checkout, weights=False), Path(checkout.name), CONFIG)
    assert pack(zoo.load(checkout.name)) == pack(model)


def test_info_of_a_folder_and_of_a_name(checkout, saved):
    known = zoo.register(checkout)
    by_name = zoo.info(checkout.name)
    assert {key: by_name[key] for key in known} == known
    assert by_name["config"] == CONFIG
    assert by_name["training"] == TRAINING
    assert by_name["evaluation"] == EVALUATION
    by_folder = zoo.info(saved)
    assert by_folder["name"] == saved.name
    assert {key: by_folder[key] for key in FACTS} == FACTS


def test_info_of_a_name_that_is_not_at_hand_asks_nobody(names, monkeypatch, tmp_path):
    monkeypatch.setattr(locate, "CHECKOUT", tmp_path)
    monkeypatch.setattr(locate, "BUNDLED", tmp_path)
    method = methods()["trades"]
    assert zoo.info("trades-mnist") == {
        "name": "trades-mnist", "folder": None, "method": method, **entry()
    }  # fmt: skip


def test_the_card_says_every_fact_of_the_records(saved):
    text = (saved / "README.md").read_text()
    for fact in (
        "`mlp`",
        "Linf 3/10",
        "99.31",
        "95.12",
        "**95.00 %**",
        "steps=40, restarts=3",
        "10,000 images of mnist (test split)",
        "robustzoo evaluate trades-mnist",
        "python -m training.train trades_mnist",
        "Commit " + "0" * 40,
        "2.00 hours",
        "seed 7",
        "| beta | 6 |",
        "loss=0.25",
        'robustzoo.load("trades-tiny")',
    ):
        assert fact in text
    ModelCard(text).data.to_yaml()


def test_published_numbers_stand_beside_ours(tmp_path, model):
    published = {"PGD-40": 0.9607, "source": "a paper"}
    folder = tmp_path / "trades-tiny"
    told = {"published": published, "remark": "Chosen on the test set."}
    zoo.save(model, folder, CONFIG, TRAINING | told, EVALUATION)
    text = (folder / "README.md").read_text()
    assert "\n\nChosen on the test set.\n" in text
    assert "| 95.12 | 96.07 |" in text and "Published: a paper." in text
    assert "| 99.31 | - |" in text


def test_listing_imports_neither_keras_nor_the_hubs_client():
    code = (
        "import sys, robustzoo.zoo as zoo; zoo.list_models(); zoo.info;"
        "heavy = {'keras', 'tensorflow', 'jax', 'torch', 'numpy', 'huggingface_hub'};"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    root = Path(zoo.__file__).parents[2]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)


def test_info_builds_nothing(saved):
    code = (
        f"import sys, robustzoo.zoo as zoo; zoo.info({str(saved)!r});"
        "assert not {'keras', 'tensorflow', 'jax', 'torch'} & set(sys.modules)"
    )
    root = Path(zoo.__file__).parents[2]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)


def test_every_folder_of_the_checkout_is_released():
    folders = {path.parent.name for path in locate.CHECKOUT.glob("*/config.json")}
    assert folders == set(registry.released())


@pytest.mark.parametrize("name", sorted(registry.released()))
def test_a_folder_of_the_checkout_is_what_the_registry_pins(name):
    pinned = registry.released_entry(name)["manifest_sha256"]
    files = read_folder(locate.CHECKOUT / name, pinned)
    check_records(files)


@pytest.mark.parametrize("name", sorted(registry.released()))
def test_weights_are_counted_without_memory_for_them(name):
    config = json.loads((locate.CHECKOUT / name / "config.json").read_bytes())
    tensors = read_header((locate.CHECKOUT / name / "model.safetensors").read_bytes()).values()
    assert _size(config) == sum(tensor.count * SIZES[tensor.dtype] for tensor in tensors)


def test_every_released_model_is_registered_with_all_facts():
    for name, known in registry.released().items():
        assert set(known) == set(entry()), name
        assert known["defense"] in methods(), name


def test_what_is_known_of_a_defense_stands_on_the_card_and_in_info(saved):
    known = methods()["trades"]
    card = (saved / "README.md").read_text()
    assert all(text in card for text in known.values())
    assert zoo.info(saved)["method"] == known


def test_a_defense_of_others_has_a_card_without_a_method(tmp_path, model):
    folder = zoo.save(model, tmp_path / "other", CONFIG | {"defense": "their own"})
    assert "What breaks it" not in (folder / "README.md").read_text()
    assert zoo.info(folder)["method"] is None


def test_every_method_says_the_same_things():
    assert {tuple(method) for method in methods().values()} == {
        ("title", "paper", "defends", "breaks")
    }
