"""What the recipes of detectors share."""

from functools import partial

import keras

from robustzoo.defenses import StandardTraining
from training.recipe import Recipe
from training.schedules import constant

BASE = {
    "architecture": "reversed_logits",
    "arguments": {"base": {"architecture": "small_cnn", "arguments": {}}},
}


def beside_rce(method: str, detector: str, **fitting) -> Recipe:
    """rce-mnist as it is, with a `detector` of `robustzoo.detect` beside it."""
    return Recipe(
        dataset="mnist",
        **BASE,
        defense=StandardTraining,
        threat=None,
        method=method,
        epochs=0,
        batch_size=128,
        learning_rate=partial(constant, peak=0.0),
        optimizer=keras.optimizers.SGD,
        initial="rce-mnist",
        released={"architecture": "abstaining", "arguments": {"base": BASE, "detector": detector}},
        fitting={"false_positive_rate": 0.05, **fitting},
    )
