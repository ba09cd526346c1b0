"""Recipes build, and released models are what they make, with cards that show it."""

import json
import re
import shutil
from pathlib import Path

import pytest

from robustzoo.evaluation import attack_loss, suite
from robustzoo.threats import from_config
from robustzoo.zoo.records import parts
from training.header import write_header
from training.train import CARDS, find_recipe, fingerprint, read_recipe, settings

ROOT = Path(__file__).parents[1]


def test_unknown_recipe_offers_the_closest():
    with pytest.raises(Exception, match="Did you mean 'art_mnist'"):
        find_recipe("art_mnits")


@pytest.mark.parametrize(
    "path", sorted((ROOT / "training" / "recipes").glob("[!_]*.py")), ids=lambda p: p.stem
)
def test_every_recipe_builds_and_is_written_as_json(path):
    recipe = read_recipe(path)
    assert f"python -m training.train {path.stem}" in path.read_text()
    assert "to be measured" not in path.read_text()
    record = json.loads(json.dumps(settings(recipe)))
    assert record["epochs"] == recipe.epochs and record["defense"]
    rate = recipe.learning_rate(100)
    assert float(rate(0) if callable(rate) else rate) >= 0
    if recipe.initial:  # its weights must fit
        first = CARDS / recipe.initial / "config.json"  # not yet released: what its recipe makes
        made = settings(read_recipe(find_recipe(recipe.initial)))
        config = json.loads(first.read_text()) if first.exists() else json.loads(json.dumps(made))
        nets = [
            {"architecture": net["architecture"], "arguments": net["arguments"]}
            for net in (config, record, record["arguments"].get("base"))
            if net
        ]
        assert nets[0] in nets[1:]  # the net itself, or the one inside


RELEASED = sorted(path.parent for path in CARDS.glob("*/training.json"))


@pytest.mark.parametrize("folder", RELEASED, ids=lambda p: p.name)
def test_a_release_is_what_its_recipe_makes(folder, tmp_path):
    """The recipe as it stands, at a commit that can be checked out; its header says the outcome."""
    record = json.loads((folder / "training.json").read_text())
    path = find_recipe(record["recipe"])
    assert fingerprint(settings(read_recipe(path))) == record["recipe_sha256"]
    assert re.fullmatch("[0-9a-f]{40}", record["commit"])
    assert record.get("remark") == read_recipe(path).remark
    copy = shutil.copy(path, tmp_path)
    write_header(Path(copy), folder)
    assert Path(copy).read_text() == path.read_text()


@pytest.mark.parametrize("folder", RELEASED, ids=lambda p: p.name)
def test_a_card_shows_what_its_command_measures(folder):
    path = folder / "eval.json"
    for part in parts(json.loads(path.read_text())) if path.exists() else ():
        assert re.fullmatch("[0-9a-f]{40}", part["commit"])
        config = json.loads((folder / "config.json").read_text())
        restarts = 1 if "--restarts 1" in part["command"] else 2
        own = "--loss own" in part["command"] and attack_loss("own", config["defense"])
        made = part["suite"], len(config["labels"]), restarts
        attacks = suite(from_config(part["threat"]), *made, loss=own or None)
        assert [r["label"] for r in part["results"]] == ["clean", *attacks]
