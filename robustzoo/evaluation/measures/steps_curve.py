"""Accuracy against the number of steps."""

import itertools

import keras
import numpy as np
from keras import ops

from robustzoo.attacks import PGD
from robustzoo.attacks._model import later
from robustzoo.backend import compiled, in_batches, random_state
from robustzoo.evaluation.checks import is_random
from robustzoo.evaluation.predict import predict


def steps_curve(
    model: keras.Model,
    images: np.ndarray,
    labels: np.ndarray,
    attack: PGD,
    batch_size: int = 128,
    seed: int = 0,
) -> np.ndarray:
    """Share of the examples that 0, 1, ... `attack.steps` steps leave, shape (steps + 1,).

    An example is broken as soon as it is misclassified at any point on the way, the start
    included; so the curve never rises. A random model may be fooled once by luck: there, k steps
    break what is misclassified just after k steps, judged by other noise than that of the attack,
    and the curve may rise. The step size stays the same, and there is one run.

    Args:
        images, labels: float32 (N, H, W, C) in [0, 1] and integers (N,).
    """

    def ascend(z, x, y, noise):
        moved, _, logits = attack.ascend(model, z, x, y, noise)
        return moved, ops.argmax(logits, axis=-1)

    ascend = compiled(ascend, model.variables)
    starts, noise, number = keras.random.SeedGenerator(seed), random_state(seed), itertools.count()

    def again(z):
        return predict(model, ops.convert_to_numpy(z), len(z))

    def on_the_way(x, y):
        z, classes = attack.first(x, starts), []
        for _ in range(attack.steps + 1):
            here = z
            z, seen = ascend(here, x, y, later(noise, next(number)))
            classes.append(again(here) if random else ops.convert_to_numpy(seen))
        return np.stack(classes, axis=1)

    random = is_random(model, images)
    correct = predict(model, images, batch_size) == labels
    seen = in_batches(on_the_way, min(batch_size, len(images)), images, labels)
    left = (seen == labels[:, None]) & correct[:, None]
    return (left if random else np.logical_and.accumulate(left, axis=1)).mean(axis=0)
