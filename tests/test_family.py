"""The family of models: its recipes exist, what is done is not done again."""

import pytest
from click.testing import CliRunner

from robustzoo.evaluation.attack_loss import OWN
from robustzoo.zoo.methods import methods
from training import family
from training.train import RECIPES, find_recipe, read_recipe


@pytest.mark.parametrize("name", list(family.FAMILIES))
def test_members_are_recipes_with_teachers_before_students(name):
    seen = []
    for recipe in family.FAMILIES[name]:
        about = read_recipe(find_recipe(recipe))
        assert about.dataset == name
        for other in (about.teacher, about.initial):
            assert other is None or other.replace("-", "_") in seen, recipe
        seen.append(recipe)


@pytest.mark.parametrize("name", list(family.FAMILIES))
def test_a_defense_with_a_loss_of_its_own_is_attacked_by_it(name):
    for recipe, options in family.FAMILIES[name].items():
        method = read_recipe(find_recipe(recipe)).method
        assert ("own" in options) == (method in OWN), recipe


def test_every_recipe_names_a_method_that_is_described():
    for path in RECIPES.glob("[!_]*.py"):
        assert read_recipe(path).method in (None, *methods()), path.stem


def test_trains_and_measures_only_what_is_not_there(monkeypatch):
    ran = []
    monkeypatch.setattr(family, "_run", lambda *module: ran.append(module))
    monkeypatch.setattr(family, "trained", lambda name: name == "mmc_mnist")
    monkeypatch.setattr(family, "read_facts", lambda folder, file: None)
    only = ["--only", "mmc_mnist", "--only", "rce_mnist", "--only", "linear_mnist"]
    only += ["--examples", "10"]
    result = CliRunner().invoke(family.main, ["mnist", *only])
    assert result.exit_code == 0, result.output
    assert sorted((m[0], m[1]) for m in ran) == [
        ("robustzoo", "certify"),
        ("robustzoo", "evaluate"),
        ("robustzoo", "evaluate"),
        ("robustzoo", "evaluate"),
        ("training.publish", "linear-mnist"),
        ("training.publish", "mmc-mnist"),
        ("training.publish", "rce-mnist"),
        ("training.train", "linear_mnist"),
        ("training.train", "rce_mnist"),
    ]
    assert all(m[-2:] == ("--examples", "10") for m in ran if m[1] == "evaluate")


def test_models_that_draw_noise_are_measured_on_fewer_images(monkeypatch):
    ran = []
    monkeypatch.setattr(family, "_run", lambda *module: ran.append(module))
    monkeypatch.setattr(family, "trained", lambda name: True)
    hour = {"training.json": {"seconds": 3600.0}}
    monkeypatch.setattr(family, "read_facts", lambda folder, file: hour.get(file))
    only = ["--only", "rse_mnist", "--only", "iat_mnist"]
    result = CliRunner().invoke(family.main, ["mnist", *only])
    assert f"took {len(family.FAMILIES['mnist'])}.0 hours together" in result.output
    counts = {m[2].rpartition("/")[2]: m[-1] for m in ran if m[1] == "evaluate"}
    assert counts == {"rse-mnist": "200", "iat-mnist": "1000"}


def test_a_recipe_of_another_family_is_refused():
    result = CliRunner().invoke(family.main, ["mnist", "--only", "rce_cifar10"])
    assert result.exit_code == 2 and "rce_cifar10" in result.output


def test_estimates_the_trainings_asked_for_and_runs_none(monkeypatch):
    monkeypatch.setattr(family, "_run", lambda *module: pytest.fail(f"ran {module}"))
    monkeypatch.setattr(family, "estimate", lambda path: {"rse_mnist": 1800}.get(path.stem, 5400))
    only = ["--only", "rse_mnist", "--only", "iat_mnist"]
    result = CliRunner().invoke(family.main, ["mnist", "--estimate", *only])
    assert "rse_mnist 30.0 minutes" in result.output and "2.0 hours" in result.output
