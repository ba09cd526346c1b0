"""How long a training would take here."""

import math
import time
from pathlib import Path

import keras

from training.batches import batches
from training.train import Run, read_recipe

WARM, TIMED = 3, 10.0  # the batches that compile, and the seconds of those that are timed


def estimate(path: Path) -> float:
    """Returns the seconds that a recipe would take on this machine, if nothing else runs on it.

    They are those of some batches and of one validation, times how many there will be, and what
    loading and compiling took. Nothing is written.
    """
    begun = time.monotonic()
    recipe = read_recipe(path)
    if not recipe.epochs:
        return 0.0
    keras.utils.clear_session()
    run = Run(path, Path("none"), seed=0, interval=math.inf, deadline=math.inf)
    stream = batches(run.data.train, recipe.batch_size, recipe.augment, seed=0, epoch=0)
    marks = []
    for x, y in stream:
        run.defense.train_on_batch(x, y)
        marks.append(time.monotonic())
        if len(marks) > WARM and marks[-1] - marks[WARM - 1] >= TIMED:
            break
    step = (marks[-1] - marks[WARM - 1]) / (len(marks) - WARM)
    run.validate()  # compiles
    ready = time.monotonic()
    run.validate()
    validation = time.monotonic() - ready
    return (ready - begun) + recipe.epochs * (run.batches * step + validation)
