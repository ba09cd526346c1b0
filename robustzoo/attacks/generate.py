"""Runs an attack over many images."""

import functools
from collections.abc import Callable

import keras
import numpy as np

from robustzoo.attacks.base import Attack
from robustzoo.attacks.run import run
from robustzoo.backend import compiled, in_batches
from robustzoo.check_number import check_number
from robustzoo.checks import check_attack, check_data


def generate(
    attack: Callable,
    model: keras.Model,
    images: np.ndarray,
    labels: np.ndarray,
    batch_size: int = 128,
    seed: int = 0,
) -> np.ndarray:
    """Returns adversarial examples of `images` (N, H, W, C), in batches of one compiled function.

    An attack that looks for the smallest change returns the clean image where it failed.

    Args:
        attack: of `robustzoo.attacks`, or any callable attack(model, x, y, seed).
        model: from images in [0, 1] to logits.
        images: float in [0, 1].
        labels: integers (N,); the classes to reach for a targeted attack.
        seed: of the random starts; the result for an image depends on its place in `images`.
    """
    images, labels = check_data(model, images, labels)
    check_number("batch_size", batch_size, ">= 1", whole=True)
    check_attack(attack)
    if isinstance(attack, Attack) and not attack.one_graph:
        return run(attack, model, images, labels, batch_size, seed).images
    whole, seeds = _compiled(attack, model)
    seeds.state.assign([seed, 0])
    checked = functools.partial(_checked, attack, whole)
    return in_batches(checked, min(batch_size, len(images)), images, labels)


def _checked(attack, whole, x, y):
    """`whole(x, y)`, or ValueError if those are no images shaped like `x`."""
    found = whole(x, y)
    shape = getattr(found, "shape", None)
    if shape is None or tuple(shape) != tuple(x.shape):
        received = type(found).__name__ if shape is None else f"shape {tuple(shape)}"
        raise ValueError(
            f"an attack must return images shaped like those it is given, {tuple(x.shape)}. "
            f"Received: {received} from {attack!r:.100}"
        )
    return found


@functools.lru_cache(maxsize=8)  # compiling costs more than attacking a few images does
def _compiled(attack, model):
    seeds = keras.random.SeedGenerator(0)
    whole = compiled(lambda x, y: attack(model, x, y, seeds), [*model.variables, seeds.state])
    return whole, seeds
