"""The trainer.

    python -m training.train art_mnist --limit-minutes 2

trains the recipe `training/recipes/art_mnist.py` (or a recipe file given by its path), goes on from
its checkpoint if there is one, and ends by writing the model folder `model_cards/art-mnist`.
"""

import dataclasses
import functools
import importlib.util
import json
import math
import time
from pathlib import Path

import click
import keras
from rich.console import Console

from robustzoo import architectures, datasets, zoo
from robustzoo.backend import data_parallel
from robustzoo.closest import closest
from robustzoo.detect import abstains
from robustzoo.hashes import sha256
from robustzoo.provenance import provenance
from robustzoo.threats import to_config
from robustzoo.zoo.folder import MAX_FOLDER_BYTES
from robustzoo.zoo.obtain import obtain
from robustzoo.zoo.register import check_released_size
from robustzoo.zoo.weights import packed_size
from training.batches import batches
from training.checkpoint import read_checkpoint, restore_checkpoint, save_checkpoint
from training.command import command
from training.initial import begin_with
from training.left_by import left_by
from training.recipe import Recipe
from training.release import release
from training.watch import Watch

RECIPES = Path(__file__).parent / "recipes"
CARDS = Path(__file__).resolve().parents[1] / "model_cards"  # a folder there is a released one
MEASURED = ("eval.json", "certificate.json", "smoothing.json")
FRESH = {"epoch": 0, "batch": 0, "seconds": 0.0, "sums": {}, "curve": [], "best_epoch": None}


@click.command()
@click.argument("recipe")
@click.option(
    "--limit-minutes", type=click.FloatRange(0, min_open=True), default=math.inf,
    help="Stop, with a checkpoint, after so long.",
)  # fmt: skip
@click.option(
    "--devices", default=1, show_default=True, type=click.IntRange(1),
    help="Split every batch among devices.",
)  # fmt: skip
@click.option("--seed", default=0, show_default=True)
@click.option("--output", type=Path, help="Model folder. Default: model_cards/<name>.")
@click.option("--checkpoints", type=Path, default="training/runs", show_default=True)
@click.option("--checkpoint-minutes", default=5.0, show_default=True, type=click.FloatRange(0))
@click.option("--restart", is_flag=True, help="Discard the checkpoint.")
def main(recipe, limit_minutes, devices, seed, output, checkpoints, checkpoint_minutes, restart):
    """Trains RECIPE, the name of a file in training/recipes or a path, into a model folder."""
    deadline = time.monotonic() + 60 * limit_minutes
    path = find_recipe(recipe)
    output = output or Path("model_cards") / path.stem.replace("_", "-")
    checkpoint = checkpoints / f"{path.stem}.safetensors"
    if restart:
        checkpoint.unlink(missing_ok=True)
    try:
        with data_parallel(devices):
            run = Run(path, checkpoint, seed, 60 * checkpoint_minutes, deadline)
            run.check_size(output)
            if run.train():
                run.write(output)
    except (ValueError, OSError, FloatingPointError) as error:
        raise click.ClickException(str(error)) from error


def find_recipe(name: str) -> Path:
    """Returns the file of a recipe given by name or path."""
    path = Path(name) if name.endswith(".py") else RECIPES / f"{name.replace('-', '_')}.py"
    if not path.is_file():
        known = sorted(p.stem for p in RECIPES.glob("[!_]*.py"))
        close = closest(name, known)
        raise click.BadParameter(
            f"no recipe {name!r}; there are {', '.join(known)}. Did you mean {close!r}?"
        )
    return path


def read_recipe(path: Path) -> Recipe:
    """Runs a recipe file and returns what its `recipe()` returns."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.recipe()


class Run:
    """One training run: the recipe, the data, the defense, and how far it has come."""

    def __init__(self, path, checkpoint, seed, interval, deadline):
        keras.utils.set_random_seed(seed)
        self.path, self.checkpoint, self.seed = path, checkpoint, seed
        self.interval, self.deadline = interval, deadline
        self.recipe = read_recipe(path)
        self.console = Console()
        self.data = self._data()
        self.batches = len(self.data.train) // self.recipe.batch_size
        if not self.batches:
            raise ValueError(
                f"batch_size {self.recipe.batch_size} exceeds the {len(self.data.train)} images"
            )
        self.defense = self._build()
        what = {"recipe": fingerprint(settings(self.recipe)), "seed": seed}
        what["models"] = origins(self.recipe)
        self.progress, self.best = FRESH | what | {"curve": [], "sums": {}, "ran": []}, None
        if checkpoint.exists():
            self._resume(what)
        now = provenance()  # of the code that runs, whatever is committed meanwhile
        self.progress["ran"] = [past for past in self.progress["ran"] if past != now] + [now]

    def check_size(self, output: Path) -> None:
        """Raises ValueError, before any work, if the weights are too many for the folder."""
        size = packed_size(self.defense.classifier)
        if output.resolve().parent == CARDS:
            check_released_size(size, output)
        if size > MAX_FOLDER_BYTES:
            raise ValueError(f"{size} bytes of weights; a folder may have {MAX_FOLDER_BYTES}")

    def train(self) -> bool:
        """Trains until the recipe ends (True) or the time does (False)."""
        while self.progress["epoch"] < self.recipe.epochs and not self._stalled():
            if not self._epoch():
                break
        if self.progress["epoch"] == self.recipe.epochs or self._stalled():
            return True
        where = f"epoch {self.progress['epoch'] + 1}, batch {self.progress['batch']}"
        self.console.print(f"stopped in {where}; the same command goes on from there")
        return False

    def write(self, output: Path) -> None:
        """Writes the model folder of the best epoch."""
        recipe = self.recipe
        if self.best is not None:  # else nothing was trained
            self.defense.deployed.set_weights(self.best)
        model = release(recipe, self.defense.deployed, self.data)
        rejection = ["rejected"] if abstains(model) else []
        config = {
            **recipe.described,
            "dataset": recipe.dataset,
            "threat": to_config(recipe.threat) if recipe.threat else None,
            "defense": recipe.method or snake_case(type(self.defense).__name__),
            "input_shape": list(model.input_shape[1:]),
            "labels": [*self.data.label_names, *rejection],
            "recipe": self.path.stem,
            "license": recipe.license,
        }
        lost = [name for name in MEASURED if (output / name).exists()]
        zoo.save(model, output, config, training=self._record())
        if output.resolve().parent == CARDS:
            zoo.register(output)
        self.checkpoint.unlink(missing_ok=True)
        if lost:
            self.console.print(f"{', '.join(lost)} there were of the weights before, and are gone")
        self.console.print(f"wrote {output}; measure it with: robustzoo evaluate {output}")

    def _data(self):
        """The data set; for a further stage of a cascade what the earlier ones leave of it."""
        recipe = self.recipe
        data = datasets.load(recipe.dataset, classes=recipe.classes)
        if not recipe.left_by:
            return data
        if recipe.threat is None:
            raise ValueError("left_by needs a threat that is certified. Received: threat=None")
        stages = ", ".join(recipe.left_by)
        self.console.print(f"certifying the training images by {stages}; this takes minutes")
        left = {
            name: left_by(recipe.left_by, getattr(data, name), recipe.threat)
            for name in ("train", "validation")
        }
        for name, split in left.items():
            total = len(getattr(data, name))
            if not len(split):
                raise ValueError(
                    f"{stages} certify all {total} images of {recipe.dataset}'s {name}"
                )
            self.console.print(f"{len(split)} of {total} images of {name} are left")
        return dataclasses.replace(data, **left)

    def _build(self):
        recipe = self.recipe
        keras.config.set_dtype_policy(recipe.precision)
        try:
            classifier = architectures.build(recipe.architecture, dict(recipe.arguments))
        finally:
            keras.config.set_dtype_policy("float32")
        if recipe.initial:
            kept = begin_with(classifier, recipe.initial)
            fresh = f", but for {', '.join(kept)}" if kept else ""
            self.console.print(f"starts with the weights of {recipe.initial}{fresh}")
        options = {"seed": self.seed, "warmup_steps": round(recipe.warmup_epochs * self.batches)}
        if recipe.validation_attack is not None:
            options["validation_attack"] = recipe.validation_attack
        if recipe.teacher is not None:
            options["teacher"] = zoo.load(recipe.teacher)
        defense = recipe.defense(classifier, **options)
        schedule = recipe.learning_rate(recipe.epochs * self.batches)
        defense.compile(optimizer=recipe.optimizer(schedule))
        defense.optimizer.build(defense.trainable_variables)
        return defense

    def _resume(self, what):
        progress, arrays, self.best = read_checkpoint(self.checkpoint)
        changed = [key for key, value in what.items() if progress.get(key) != value]
        if changed:
            raise ValueError(
                f"{self.checkpoint} was made with another {' and '.join(changed)}: "
                "start anew with --restart"
            )
        restore_checkpoint(self.defense, arrays)
        self.progress = progress
        done = f"epoch {progress['epoch'] + 1}, batch {progress['batch']}"
        self.console.print(f"going on from {self.checkpoint}: {done} of {self.batches}")

    def _epoch(self):
        """Trains the rest of an epoch; returns False if it was stopped."""
        recipe, epoch, first = self.recipe, self.progress["epoch"], self.progress["batch"]
        before = self.progress["seconds"]
        data = batches(self.data.train, recipe.batch_size, recipe.augment, self.seed, epoch, first)
        label = f"epoch {epoch + 1}/{recipe.epochs}"
        with Watch(
            label, first, self.batches, recipe.batch_size, self.interval, self.deadline
        ) as watch:
            for done, (x, y) in enumerate(data, first + 1):
                means = self._add(self.defense.train_on_batch(x, y, return_dict=True), done)
                watch.tick(done, means)
                stop = watch.stop_due
                if done < self.batches and (stop or watch.save_due):
                    self.progress.update(batch=done, seconds=before + watch.seconds)
                    self._save()
                    if stop:
                        return False
            speed = watch.speed(self.batches)
            self._finish(means)
            self.progress["seconds"] = before + watch.seconds
        self._save()
        self._tell(speed)
        return not watch.stop_due

    def _add(self, logs, batch):
        """Returns the means over the epoch's batches so far; Keras gives those of the last one."""
        sums = self.progress["sums"]
        for name, value in logs.items():
            sums[name] = sums.get(name, 0.0) + float(value)
        if not math.isfinite(sums["loss"]):
            raise FloatingPointError(
                f"the loss became {logs['loss']} in epoch {self.progress['epoch'] + 1}, batch "
                f"{batch}; the last checkpoint is from before. Lower the learning rate or clip the "
                "gradient"
            )
        return {name: total / batch for name, total in sums.items()}

    def _finish(self, logs):
        """Validates an epoch, and keeps its weights if they are the best."""
        rate = float(keras.ops.convert_to_numpy(self.defense.optimizer.learning_rate))
        validation = {f"val_{name}": float(v) for name, v in self.validate().items()}
        epoch = self.progress["epoch"] + 1
        entry = {"epoch": epoch, **logs, **validation, "learning_rate": rate}
        self.progress["curve"].append(entry)
        if best_epoch(self.progress["curve"], self._judged_by()) == epoch:
            self.progress["best_epoch"] = epoch
            self.best = self.defense.deployed.get_weights()
        self.progress.update(epoch=epoch, batch=0, sums={})

    def _tell(self, speed):
        entry = dict(self.progress["curve"][-1])
        facts = "  ".join(f"{name} {value:.4f}" for name, value in entry.items() if name != "epoch")
        self.console.print(
            f"epoch {entry['epoch']}/{self.recipe.epochs}  {self.progress['seconds']:.0f} s  "
            f"{speed:.0f} img/s  {facts}"
        )

    def validate(self) -> dict[str, float]:
        """Metrics of the deployed classifier on the validation images that judge an epoch."""
        held_out = self.data.validation.sample(self.recipe.validation_examples)
        return self.defense.evaluate(
            held_out.images, held_out.labels, batch_size=100, verbose=0, return_dict=True
        )

    def _judged_by(self):
        """Robust validation accuracy, or clean where no attack was asked for."""
        robust = "val_robust_accuracy" in self.progress["curve"][0]
        return f"val_{'robust_' if robust and self.recipe.threat is not None else ''}accuracy"

    def _stalled(self):
        curve, patience = self.progress["curve"], self.recipe.patience
        if not curve or not patience:
            return False
        first = max(curve, key=lambda entry: entry[self._judged_by()])["epoch"]
        return len(curve) - first >= patience

    def _save(self):
        save_checkpoint(self.checkpoint, self.defense, self.progress, self.best)

    def _record(self):
        return {
            "recipe": self.path.stem,
            "recipe_sha256": self.progress["recipe"],
            "command": command("training.train"),
            "seed": self.seed,
            "seconds": round(self.progress["seconds"], 1),
            "epochs": self.progress["epoch"],
            "best_epoch": self.progress["best_epoch"] or 0,
            "settings": settings(self.recipe),
            "published": plain(self.recipe.published),
            "remark": self.recipe.remark,
            "curve": self.progress["curve"],
            "models": self.progress["models"],
            "images": len(self.data.train),
            "earlier": self.progress["ran"][:-1],
            **self.progress["ran"][-1],
        }


def best_epoch(curve: list[dict], name: str) -> int:
    """The first epoch of the highest `name`.

    Where that is 0 in all, as while bounds are too loose to prove anything, it is the last one.
    """
    return max(curve, key=lambda e: (e[name], e["epoch"] * (e[name] == 0)))["epoch"]


def origins(recipe: Recipe) -> dict:
    """{name: sha256 of its weights} of the released models that a training starts from."""
    names = [name for name in (recipe.initial, recipe.teacher, *recipe.left_by) if name]
    return {name: sha256(obtain(name)[1]["model.safetensors"]) for name in names}


def settings(recipe: Recipe) -> dict:
    """What decides the weights, as JSON: dataclasses become dictionaries, functions names."""
    told = "method", "published", "remark"
    names = [f.name for f in dataclasses.fields(recipe) if f.name not in told]
    # Younger than some releases, whose fingerprints stay.
    for name in ("released", "fitting", "teacher", "left_by"):
        if not getattr(recipe, name):
            names.remove(name)
    return {name: plain(getattr(recipe, name)) for name in names}


def fingerprint(recipe_settings: dict) -> str:
    """sha256 of a recipe's settings: what its header says of the outcome does not change it."""
    return sha256(json.dumps(recipe_settings, sort_keys=True).encode())


def plain(value):
    """One setting as JSON."""
    if dataclasses.is_dataclass(value):
        return {"type": type(value).__name__} | {
            f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)
        }
    if isinstance(value, functools.partial):
        given = {"arguments": plain(value.args)} if value.args else {}
        given |= {k: plain(v) for k, v in value.keywords.items()}
        return {"type": value.func.__name__} | given
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return getattr(value, "__qualname__", value)


def snake_case(name: str) -> str:
    """MadryTraining -> madry_training."""
    return "".join("_" * (i > 0) + c.lower() if c.isupper() else c for i, c in enumerate(name))


if __name__ == "__main__":
    main()
