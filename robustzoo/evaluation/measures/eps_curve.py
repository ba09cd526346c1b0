"""Accuracy against the size of the budget."""

from collections.abc import Callable, Sequence

import keras
import numpy as np
from keras import ops

from robustzoo.attacks import Attack, run
from robustzoo.evaluation.checks import is_random
from robustzoo.evaluation.measures._ascending import ascending
from robustzoo.evaluation.predict import predict


def eps_curve(
    model: keras.Model,
    images: np.ndarray,
    labels: np.ndarray,
    attack: Callable[[float], Attack],
    eps: Sequence[float],
    batch_size: int = 128,
    seed: int = 0,
) -> np.ndarray:
    """Share of the examples that stay correct under `attack(eps)`, for every eps (K,).

    What is broken within a budget is broken within every larger one. So each attack sees only the
    examples that those before it left, and the curve never rises.

    Args:
        images, labels: float32 (N, H, W, C) in [0, 1] and integers (N,).
        attack: makes an attack whose `threat` has the given eps.
        eps: ascending; at 0 it is the accuracy without attack.
    """
    eps, random = ascending(eps), is_random(model, images)
    left = predict(model, images, batch_size) == labels
    shares = []
    for each in eps.tolist():
        rows = np.flatnonzero(left)
        if each > 0 and len(rows):
            some = images[rows], labels[rows]
            left[rows] = ~_broken(attack(each), model, *some, batch_size, seed, random)
        shares.append(left.mean())
    return np.array(shares)


def _broken(attack, model, images, labels, batch_size, seed, random):
    until = None if random else attack.threat.contains
    found = run(attack, model, images, labels, batch_size, seed, until).images
    inside = ops.convert_to_numpy(attack.threat.contains(found, images))
    return inside & (predict(model, found, batch_size) != labels)
