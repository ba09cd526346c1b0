"""Which examples an attack fails to break, at the least number of gradients."""

from collections.abc import Callable

import keras
import numpy as np
from keras import ops

from robustzoo.attacks import PGD, generate
from robustzoo.backend import compiled, in_batches, random_state

CHUNK = 100  # starting points are drawn for so many images at once, whatever the batch size


def survivors(
    attack: Callable,
    model: keras.Model,
    images: np.ndarray,
    labels: np.ndarray,
    batch_size: int = 128,
    seed: int = 0,
    advance: Callable[[int], None] = lambda count: None,
) -> tuple[np.ndarray, int]:
    """Returns which images (N,) stay classified as `labels`, and the gradients that it took.

    For a `PGD`, every iterate counts, not the last alone: an example leaves as soon as it is
    broken and the next one takes its place in the batch, so no gradient is spent on it again. The
    outcome does not depend on `batch_size`, unless the model itself is random.

    Args:
        attack: an untargeted attack.
        images, labels: checked float32 (N, H, W, C) and int32 (N,).
        advance: called with the number of examples just decided, for a progress bar.
    """
    if not isinstance(attack, PGD):
        adversarial = generate(attack, model, images, labels, batch_size, seed)
        advance(len(images))
        return predict(model, adversarial, batch_size) == labels, len(images)
    if attack.targeted:
        raise ValueError("robust accuracy needs an untargeted attack. Received: targeted=True")
    alive, spent = np.ones(len(images), bool), 0
    for restart in range(attack.restarts):
        rows = np.flatnonzero(alive)
        if not len(rows):
            break
        last = restart == attack.restarts - 1
        starts = _starts(attack, images[rows], seed + 7919 * restart)
        kept, gradients = _run(
            attack, model, starts, images[rows], labels[rows], min(batch_size, len(rows)), seed
        )
        spent += gradients
        alive[rows] = kept
        advance(len(rows) if last else int((~kept).sum()))
    return alive, spent


def predict(model: keras.Model, images: np.ndarray, batch_size: int = 128) -> np.ndarray:
    """Returns the predicted classes (N,) of float32 images in [0, 1]."""
    run = compiled(lambda x: ops.argmax(model(x), axis=-1), model.variables)
    return in_batches(run, min(batch_size, len(images)), images)


def _starts(attack, images, seed):
    seeds = keras.random.SeedGenerator(seed)
    first = compiled(lambda x: attack.first(x, seeds), [seeds.state])
    return in_batches(first, CHUNK, images)


def _run(attack, model, starts, images, labels, batch_size, seed):
    """One run of `attack` over all images, the batch refilled from the queue."""
    step = _step(attack, model, seed)
    kept = np.ones(len(images), bool)
    slots, following, spent = np.arange(batch_size), batch_size, 0
    age, busy = np.zeros(batch_size, int), np.ones(batch_size, bool)
    z = starts[slots]
    while busy.any():
        x, y = images[slots], labels[slots]
        moved, classes = step(*map(ops.convert_to_tensor, (z, x, y)))
        spent += int(busy.sum()) * attack.draws
        broken = busy & (ops.convert_to_numpy(classes) != y)
        kept[slots[broken]] = False
        free = np.flatnonzero(broken | (busy & (age == attack.steps)))
        age += 1
        z = np.array(ops.convert_to_numpy(moved))
        fill = free[: len(images) - following]
        slots[fill] = np.arange(following, following + len(fill))
        following += len(fill)
        z[fill], age[fill] = starts[slots[fill]], 0
        busy[free[len(fill) :]] = False
    return kept, spent


def _step(attack, model, seed):
    """Compiles one step: (z, x, y) -> the next z, and the classes predicted at z."""
    seeds = keras.random.SeedGenerator(seed)

    def step(z, x, y):
        moved, logits = attack.ascend(model, z, x, y, random_state(seeds))
        return moved, ops.argmax(logits, axis=-1)

    return compiled(step, [*model.variables, seeds.state])
