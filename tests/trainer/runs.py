"""The trainer's command on a data set of 64 tiny images, in this process or one of its own."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

from click.testing import CliRunner
from safetensors.numpy import load_file

from training.train import main

ROOT = Path(__file__).parents[2]
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


def write_recipe(folder, epochs=3, rate=0.05, start="uniform"):
    (folder / "tiny.py").write_text(textwrap.dedent(RECIPE % (start, epochs, rate)))


def options(name, *more):
    return ["tiny.py", "--output", name, "--checkpoints", f"runs-{name}", *more]


def train(name, *more):
    return CliRunner().invoke(main, options(name, *more))


def start(name, *more, **flags):
    """The trainer in a process of its own."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])} | flags
    # A run that finds all compiled may end before it can be killed.
    environment.pop("JAX_COMPILATION_CACHE_DIR", None)
    command = [sys.executable, "-m", "training.train", *options(name, *more)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)


def outcome(folder):
    record = json.loads((folder / "training.json").read_text())
    return load_file(folder / "model.safetensors"), record
