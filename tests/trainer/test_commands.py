"""What the trainer does with files, names, signals and bad ends: of no backend's own."""

import json
import signal
import time

import pytest

from robustzoo.hashes import sha256
from tests.trainer.runs import outcome, start, train, write_recipe


def test_a_teacher_comes_by_name(workplace):
    write_recipe(workplace, epochs=1)
    assert train("teacher").exit_code == 0
    recipe = workplace / "tiny.py"
    text = recipe.read_text().replace("import MadryTraining", "import Distillation")
    begin, end = text.index("MadryTraining,"), text.index("average_decay")
    text = text[:begin] + "Distillation, temperature=5.0, " + text[end:]
    recipe.write_text(text.replace("epochs=1,", 'epochs=1, teacher="teacher",'))
    result = train("student")
    assert result.exit_code == 0, result.output
    record = outcome(workplace / "student")[1]
    assert record["settings"]["teacher"] == "teacher"
    weights = (workplace / "teacher" / "model.safetensors").read_bytes()
    assert record["models"] == {"teacher": sha256(weights)}
    config = json.loads((workplace / "student" / "config.json").read_text())
    assert config["defense"] == "distillation"
    recipe.write_text(recipe.read_text().replace('"teacher",', '"nobody",'))
    assert "nobody" in train("orphan").stderr


def test_a_further_stage_trains_on_what_the_first_leaves(workplace):
    write_recipe(workplace, epochs=1)
    assert train("first").exit_code == 0
    recipe = workplace / "tiny.py"
    text = recipe.read_text().replace("threat = Linf(0.1)", "threat = Linf(0.118)")
    recipe.write_text(text.replace("epochs=1,", 'epochs=1, left_by=("first",),'))
    result = train("second")
    assert result.exit_code == 0, result.output
    record = outcome(workplace / "second")[1]
    assert record["settings"]["left_by"] == ["first"] and list(record["models"]) == ["first"]
    assert 4 <= record["images"] < 64 == outcome(workplace / "first")[1]["images"]
    assert f"{record['images']} of 64 images of train are left" in result.stdout
    recipe.write_text(text.replace("epochs=1,", 'epochs=1, left_by=("nobody",),'))
    assert "nobody" in train("orphan").stderr


def test_ctrl_c_saves_first(workplace):
    write_recipe(workplace, epochs=10_000)
    process = start("long", "--checkpoint-minutes", "0")
    while not (workplace / "runs-long" / "tiny.safetensors").exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0 and "the same command goes on from there" in output


def test_a_diverging_run_keeps_its_last_good_checkpoint(workplace):
    write_recipe(workplace, rate="float('nan')")
    result = train("bad", "--checkpoint-minutes", "0")
    assert result.exit_code == 1 and "the loss became nan" in result.stderr
    assert isinstance(result.exception, SystemExit)  # a message, no traceback
    assert not (workplace / "bad").exists()


def test_a_checkpoint_of_another_recipe_is_refused(workplace):
    train("other", "--limit-minutes", "1e-9")
    write_recipe(workplace, epochs=1)
    result = train("other")
    assert result.exit_code == 1 and "another recipe: start anew" in result.stderr
    assert train("other", "--restart").exit_code == 0


def test_early_stopping_in_bfloat16_releases_the_best_epoch_in_float32(workplace):
    write_recipe(
        workplace, epochs=9, rate=0.0, start="clean"
    )  # no epoch beats the first, all have 0
    recipe = workplace / "tiny.py"
    options = 'precision="mixed_bfloat16", patience=2, epochs='
    recipe.write_text(recipe.read_text().replace("epochs=", options, 1))
    result = train("early")
    assert result.exit_code == 0, result.output
    weights, record = outcome(workplace / "early")
    assert (record["epochs"], record["best_epoch"]) == (3, 3)
    assert {value.dtype.name for value in weights.values()} == {"float32"}
    # The curve holds means over all batches, which their order does not change.
    losses = [entry["loss"] for entry in record["curve"]]
    assert losses[1] == pytest.approx(losses[2], rel=1e-4) and losses[0] < losses[1]
