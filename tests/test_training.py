"""The trainer, run as a user runs it, on a data set of 64 tiny images."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import keras
import numpy as np
import pytest
from safetensors.numpy import load_file

from robustzoo import zoo
from robustzoo.datasets import Split
from robustzoo.evaluation import suite
from robustzoo.hashes import sha256
from robustzoo.threats import Linf, from_config
from robustzoo.zoo.records import parts
from training import schedules
from training.augment import crop_flip
from training.batches import batches
from training.header import write_header
from training.left_by import left_by
from training.train import CARDS, best_epoch, find_recipe, fingerprint, read_recipe, settings

# Each starts the trainer once or more: what they are about is signals, files and names, of which no
# backend has its own.
once = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="the same on every backend"
)

ROOT = Path(__file__).parents[1]
RECIPE = """
    '''MNIST, one hidden layer. Command: python -m training.train tiny.py'''

    from functools import partial

    import keras

    from robustzoo.attacks import PGD
    from robustzoo.defenses import MadryTraining
    from robustzoo.threats import Linf
    from training.recipe import Recipe
    from training.schedules import cosine


    def recipe():
        threat = Linf(0.1)
        return Recipe(
            dataset="mnist",
            architecture="mlp",
            arguments={"widths": [8]},
            defense=partial(
                MadryTraining, attack=PGD(threat, 0.05, steps=2, start=%r), average_decay=0.9
            ),
            threat=threat,
            epochs=%d,
            batch_size=4,
            learning_rate=partial(cosine, peak=%s),
            optimizer=partial(keras.optimizers.SGD, momentum=0.9, clipnorm=1.0),
            warmup_epochs=0.5,
            validation_examples=8,
        )
"""


@pytest.fixture
def workplace(tmp_path):
    """A folder with the recipe and a decoded MNIST of 64 + 5,000 images."""
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


def write_recipe(folder, epochs=3, rate=0.05, start="uniform"):
    (folder / "tiny.py").write_text(textwrap.dedent(RECIPE % (start, epochs, rate)))


def command(folder, name, *options):
    """Arguments and environment of one call of the trainer in `folder`."""
    arguments = [sys.executable, "-m", "training.train", "tiny.py", "--output", name]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]),
        "XDG_CACHE_HOME": str(folder / "cache"),
    }
    # A run that finds all compiled may end before it can be killed.
    environment.pop("JAX_COMPILATION_CACHE_DIR", None)
    return [*arguments, "--checkpoints", f"runs-{name}", *options], {
        "cwd": folder,
        "env": environment,
        "text": True,
    }


def train(folder, name, *options):
    arguments, where = command(folder, name, *options)
    return subprocess.run(arguments, capture_output=True, **where)


def outcome(folder):
    record = json.loads((folder / "training.json").read_text())
    return load_file(folder / "model.safetensors"), record


def test_killed_twice_and_resumed_gives_the_same_weights_and_curve(workplace):
    whole = train(workplace, "whole")
    assert whole.returncode == 0, whole.stderr
    # Killed without warning as soon as a checkpoint in the middle of the run is there ...
    arguments, where = command(workplace, "halves", "--checkpoint-minutes", "0")
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, **where)
    checkpoint = workplace / "runs-halves" / "tiny.safetensors"
    while not checkpoint.exists():
        assert process.poll() is None
        time.sleep(0.005)
    process.kill()
    process.wait()
    assert not (workplace / "halves").exists()
    # ... then stopped by its own clock after one more batch, then left to finish.
    limited = train(workplace, "halves", "--limit-minutes", "1e-9")
    assert "going on from" in limited.stdout and "stopped in epoch" in limited.stdout
    finished = train(workplace, "halves")
    assert finished.returncode == 0 and "going on from" in finished.stdout, finished.stderr
    (weights, record), (resumed, resumed_record) = map(
        outcome, (workplace / "whole", workplace / "halves")
    )
    for name, value in weights.items():
        np.testing.assert_array_equal(resumed[name], value)
    assert resumed_record["curve"] == record["curve"] and len(record["curve"]) == 3
    assert not checkpoint.exists()  # the next run starts anew
    assert record["command"].startswith("python -m training.train tiny.py")
    assert (record["models"], record["earlier"], resumed_record["earlier"]) == ({}, [], [])


@once
def test_a_teacher_comes_by_name(workplace):
    write_recipe(workplace, epochs=1)
    assert train(workplace, "teacher").returncode == 0
    recipe = workplace / "tiny.py"
    text = recipe.read_text().replace("import MadryTraining", "import Distillation")
    begin, end = text.index("MadryTraining,"), text.index("average_decay")
    text = text[:begin] + "Distillation, temperature=5.0, " + text[end:]
    recipe.write_text(text.replace("epochs=1,", 'epochs=1, teacher="teacher",'))
    result = train(workplace, "student")
    assert result.returncode == 0, result.stderr
    record = outcome(workplace / "student")[1]
    assert record["settings"]["teacher"] == "teacher"
    weights = (workplace / "teacher" / "model.safetensors").read_bytes()
    assert record["models"] == {"teacher": sha256(weights)}
    config = json.loads((workplace / "student" / "config.json").read_text())
    assert config["defense"] == "distillation"
    recipe.write_text(recipe.read_text().replace('"teacher",', '"nobody",'))
    assert "nobody" in train(workplace, "orphan").stderr


@once
def test_a_further_stage_trains_on_what_the_first_leaves(workplace):
    write_recipe(workplace, epochs=1)
    assert train(workplace, "first").returncode == 0
    recipe = workplace / "tiny.py"
    text = recipe.read_text().replace("threat = Linf(0.1)", "threat = Linf(0.118)")
    recipe.write_text(text.replace("epochs=1,", 'epochs=1, left_by=("first",),'))
    result = train(workplace, "second")
    assert result.returncode == 0, result.stderr
    record = outcome(workplace / "second")[1]
    assert record["settings"]["left_by"] == ["first"] and list(record["models"]) == ["first"]
    assert 4 <= record["images"] < 64 == outcome(workplace / "first")[1]["images"]
    assert f"{record['images']} of 64 images of train are left" in result.stdout
    recipe.write_text(text.replace("epochs=1,", 'epochs=1, left_by=("nobody",),'))
    assert "nobody" in train(workplace, "orphan").stderr


def test_what_a_stage_certifies_is_not_left(monkeypatch):
    """Of its own answer, right or wrong: class 1 where the pixel is above 1/2, within 0.1."""
    model = keras.Sequential(
        [keras.Input((1, 1, 1)), keras.layers.Flatten(), keras.layers.Dense(2)]
    )
    model.set_weights([np.array([[0.0, 1.0]]), np.array([0.0, -0.5])])
    asked = []
    monkeypatch.setattr(zoo, "load", lambda name: asked.append(name) or model)
    pixels = np.array([30, 110, 150, 250], "uint8").reshape(-1, 1, 1, 1)
    split = left_by(("a", "b"), Split(pixels, np.array([1, 1, 0, 0], "int32")), Linf(0.1))
    assert split.pixels.ravel().tolist() == [110, 150] and split.labels.tolist() == [1, 0]
    assert asked == ["a", "b"]
    assert not len(left_by(("a", "b"), split.take([]), Linf(0.1)))


@once
def test_ctrl_c_saves_first(workplace):
    write_recipe(workplace, epochs=10_000)
    arguments, where = command(workplace, "long", "--checkpoint-minutes", "0")
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, **where)
    while not (workplace / "runs-long" / "tiny.safetensors").exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0 and "the same command goes on from there" in output


def test_two_devices_have_the_loss_curve_of_one(workplace):
    write_recipe(workplace, start="clean")  # noise would differ between the devices
    recipe = workplace / "tiny.py"  # and Keras clips before it adds up the devices' gradients
    recipe.write_text(recipe.read_text().replace(", clipnorm=1.0", ""))
    os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"
    try:
        curves = []
        for devices in ("1", "2"):
            result = train(workplace, f"on-{devices}", "--devices", devices)
            assert result.returncode == 0, result.stderr
            curves.append([e["loss"] for e in outcome(workplace / f"on-{devices}")[1]["curve"]])
    finally:
        del os.environ["XLA_FLAGS"]
    np.testing.assert_allclose(curves[0], curves[1], rtol=1e-4)


@once
def test_a_diverging_run_keeps_its_last_good_checkpoint(workplace):
    write_recipe(workplace, rate="float('nan')")
    result = train(workplace, "bad", "--checkpoint-minutes", "0")
    assert result.returncode == 1 and "the loss became nan" in result.stderr
    assert "Traceback" not in result.stderr and not (workplace / "bad").exists()


@once
def test_a_checkpoint_of_another_recipe_is_refused(workplace):
    train(workplace, "other", "--limit-minutes", "1e-9")
    write_recipe(workplace, epochs=1)
    result = train(workplace, "other")
    assert result.returncode == 1 and "another recipe: start anew" in result.stderr
    assert train(workplace, "other", "--restart").returncode == 0


@pytest.mark.parametrize(("values", "best"), [((0, 0, 0), 3), ((0, 3, 3), 2), ((2, 1, 0), 1)])
def test_the_best_epoch_is_the_first_unless_none_is_any_good(values, best):
    curve = [{"epoch": k + 1, "val_accuracy": value} for k, value in enumerate(values)]
    assert best_epoch(curve, "val_accuracy") == best


@once
def test_early_stopping_in_bfloat16_releases_the_best_epoch_in_float32(workplace):
    write_recipe(
        workplace, epochs=9, rate=0.0, start="clean"
    )  # no epoch beats the first, all have 0
    recipe = workplace / "tiny.py"
    options = 'precision="mixed_bfloat16", patience=2, epochs='
    recipe.write_text(recipe.read_text().replace("epochs=", options, 1))
    result = train(workplace, "early")
    assert result.returncode == 0, result.stderr
    weights, record = outcome(workplace / "early")
    assert (record["epochs"], record["best_epoch"]) == (3, 3)
    assert {value.dtype.name for value in weights.values()} == {"float32"}
    # The curve holds means over all batches, which their order does not change.
    losses = [entry["loss"] for entry in record["curve"]]
    assert losses[1] == pytest.approx(losses[2], rel=1e-4) and losses[0] < losses[1]


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
        config = json.loads((CARDS / recipe.initial / "config.json").read_text())
        for fact in ("architecture", "arguments"):
            assert config[fact] == record[fact]


def test_batches_depend_on_seed_epoch_and_number_alone():
    pixels = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 1)).astype("uint8")
    split = Split(pixels, np.arange(20, dtype="int32"))
    whole = list(batches(split, 4, crop_flip, seed=1, epoch=2))
    tail = list(batches(split, 4, crop_flip, seed=1, epoch=2, first=3))
    assert len(whole) == 5 and len(tail) == 2
    for (x, y), (again, labels) in zip(whole[3:], tail, strict=True):
        np.testing.assert_array_equal(x, again)
        np.testing.assert_array_equal(y, labels)
    assert sorted(np.concatenate([y for _, y in whole])) == list(range(20))
    other = next(batches(split, 4, crop_flip, seed=1, epoch=3))
    assert not np.array_equal(other[1], whole[0][1])


def test_crop_flip_without_padding_only_mirrors():
    images = np.random.default_rng(0).integers(0, 256, (50, 6, 5, 3)).astype("uint8")
    out = crop_flip(images, np.random.default_rng(1), pad=0)
    same = (out == images).all((1, 2, 3))
    mirrored = (out == images[:, :, ::-1]).all((1, 2, 3))
    assert (same | mirrored).all() and 0 < mirrored.sum() < 50
    assert crop_flip(images, np.random.default_rng(1)).shape == images.shape


def test_one_cycle_is_a_triangle():
    rate = schedules.one_cycle(steps=99, peak=2.0, rise=0.4)
    np.testing.assert_allclose(float(rate(39)), 2.0, rtol=1e-6)
    np.testing.assert_allclose(float(rate(19)), 1.0, rtol=1e-6)
    np.testing.assert_allclose(float(rate(69)), 1.0, rtol=1e-6)


def test_cosine_and_piecewise_by_hand():
    np.testing.assert_allclose(float(schedules.cosine(100, 1.0)(50)), 0.5, rtol=1e-5)
    np.testing.assert_allclose(float(schedules.cosine(100, 1.0, warmup=0.2)(10)), 0.5, rtol=1e-5)
    rate = schedules.piecewise(100, 1.0, at=(0.5, 0.75))
    np.testing.assert_allclose([float(rate(s)) for s in (0, 60, 90)], [1, 0.1, 0.01], rtol=1e-5)


RELEASED = sorted(path.parent for path in CARDS.glob("*/training.json"))


@pytest.mark.parametrize("folder", RELEASED, ids=lambda p: p.name)
def test_a_release_is_what_its_recipe_makes(folder, tmp_path):
    """The recipe as it stands, at a commit that can be checked out; its header says the outcome."""
    record = json.loads((folder / "training.json").read_text())
    path = find_recipe(record["recipe"])
    assert fingerprint(settings(read_recipe(path))) == record["recipe_sha256"]
    assert re.fullmatch("[0-9a-f]{40}", record["commit"])
    copy = shutil.copy(path, tmp_path)
    write_header(Path(copy), folder)
    assert Path(copy).read_text() == path.read_text()


@pytest.mark.parametrize("folder", RELEASED, ids=lambda p: p.name)
def test_a_card_shows_what_its_command_measures(folder):
    path = folder / "eval.json"
    for part in parts(json.loads(path.read_text())) if path.exists() else ():
        assert re.fullmatch("[0-9a-f]{40}", part["commit"])
        classes = len(json.loads((folder / "config.json").read_text())["labels"])
        restarts = 1 if "--restarts 1" in part["command"] else 2
        attacks = suite(from_config(part["threat"]), part["suite"], classes, restarts)
        assert [r["label"] for r in part["results"]] == ["clean", *attacks]
