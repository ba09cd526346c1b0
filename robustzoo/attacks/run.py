"""Runs an attack over many images, step by step."""

import dataclasses
import functools
import math
from collections.abc import Callable

import keras
import numpy as np
from keras import ops

from robustzoo.attacks._model import later, random_variables
from robustzoo.attacks.base import RESTART, Attack, where
from robustzoo.backend import BACKEND, compiled, device_name, random_state
from robustzoo.threats import L2

CHUNK = 100  # first states are made for so many images at once, whatever the batch size
LONG = 300  # steps of an attack for which compiling a smaller batch pays
SMALLEST = 16  # examples of that batch


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What an attack made of N images.

    Attributes:
        images: float32 (N, H, W, C).
        success: bool (N,), whether the model was seen to be fooled by them.
        distance: float32 (N,), from the clean images, in the attack's `norm`, else that of its
            threat, else L2.
        gradients, queries: input gradients and further forward passes spent on all images.
    """

    images: np.ndarray
    success: np.ndarray
    distance: np.ndarray
    gradients: int
    queries: int


def run(
    attack: Attack,
    model: keras.Model,
    images: np.ndarray,
    labels: np.ndarray,
    batch_size: int = 128,
    seed: int = 0,
    until: Callable | None = None,
    advance: Callable[[int], None] = lambda count: None,
) -> Outcome:
    """Attacks every image; one that is finished makes room in the batch for the next.

    The outcome depends neither on `batch_size` nor on the order in which examples finish, unless
    the model itself is random.

    Args:
        attack: an iterative attack.
        images, labels: checked float32 (N, H, W, C) and int32 (N,); the classes to reach if the
            attack is targeted.
        seed: of the attack's and the model's noise.
        until: (z, x) -> bool (B,): a fooling `z` for which it holds is enough, and the example is
            attacked no further. None: every example gets all steps and runs.
        advance: called with the number of examples just finished, for a progress bar.
    """
    count = len(images)
    best, success = images.copy(), np.zeros(count, bool)
    value, enough = np.full(count, -np.inf, "float32"), np.zeros(count, bool)
    machine = _Machine(attack, model, images, until, min(batch_size, count), min(CHUNK, count))
    spent = 0
    for number in range(attack.runs):
        rows = np.flatnonzero(~enough)
        if not len(rows):
            break
        queue = machine.queue(images[rows], labels[rows], seed + RESTART * number, number)
        for done, state in machine.play(queue, len(rows), seed + RESTART * number):
            at = rows[done]
            finite = np.isfinite(state["best"]).all(axis=(1, 2, 3))
            hits = state["success"] & finite
            wins = hits.astype(int) - success[at]
            new = np.where(np.isnan(state["value"]), -np.inf, state["value"])
            better = finite & ((wins > 0) | ((wins == 0) & (new > value[at])))
            best[at[better]] = state["best"][better]
            success[at] |= hits
            value[at[better]] = new[better]
            enough[at] = state["enough"]
            last = number == attack.runs - 1
            advance(len(at) if last else int(enough[at].sum()))
        spent += machine.spent
    norm = attack.norm or type(getattr(attack, "threat", None) or L2(0.0))
    distance = ops.convert_to_numpy(norm(0.0).distance(best, images))
    return Outcome(best, success, distance, spent * attack.gradients, spent * attack.queries)


class _Machine:
    """The compiled halves of an attack, each for one size, and the loop over them."""

    def __init__(self, attack, model, images, until, slots, chunk):
        self.slots, self.chunk, self.spent = slots, chunk, 0
        self.begin, self.step, self.seeds = _compiled(attack, model, until)
        # On an accelerator a step takes as long for a few examples as for many.
        self.shrinks = attack.longest(images) >= LONG and device_name() is None

    def queue(self, images, labels, seed, number):
        """Yields (x, y, first state) of chunk after chunk, in NumPy."""
        self.seeds.state.assign([seed, 0])
        number = ops.convert_to_tensor(number, "int32")
        for first in range(0, len(images), self.chunk):
            rows = np.arange(first, first + self.chunk) % len(images)
            x, y = images[rows], labels[rows]
            state = self.begin(ops.convert_to_tensor(x), ops.convert_to_tensor(y), number)
            kept = len(images) - first
            yield {"x": x[:kept], "y": y[:kept], **{k: v[:kept] for k, v in _numpy(state).items()}}

    def play(self, queue, count, seed):
        """Yields (row numbers, their last states) of examples as they finish."""
        noise, waiting = random_state(seed), _Rows(queue)
        rows, following = np.arange(self.slots), min(self.slots, count)
        busy, self.spent = rows < count, 0
        first = waiting.take(following)
        over = first["stop"][rows % following]  # before any step, which is not counted then
        tensors = _tensors({k: v[rows % following] for k, v in first.items()})
        step = 0
        while busy.any():
            tensors, step = self.step(tensors, later(noise, step)), step + 1
            self.spent += int((busy & ~over).sum())
            free = busy & ops.convert_to_numpy(tensors["stop"])
            if not free.any():
                continue
            state, slots = _numpy(tensors), np.flatnonzero(free)
            yield rows[slots], {k: v[slots] for k, v in state.items()}
            fill = slots[: count - following]
            if len(fill):
                for name, fresh in waiting.take(len(fill)).items():
                    state[name][fill] = fresh
                over[fill] = state["stop"][fill]
                rows[fill] = np.arange(following, following + len(fill))
                following += len(fill)
                tensors = _tensors(state)
            busy[slots[len(fill) :]] = False
            size = self._size(busy) if following == count else len(busy)
            if size < len(busy):
                kept = np.resize(np.flatnonzero(busy), size)  # the last ones twice, not counted
                rows, over, busy = rows[kept], over[kept], np.arange(size) < busy.sum()
                tensors = _tensors({k: v[kept] for k, v in state.items()})

    def _size(self, busy):
        """So many slots suffice for the examples that are `busy` once none waits.

        JAX compiles for every size: there they are halved only.
        """
        size, count = len(busy), int(busy.sum())
        if not self.shrinks or not count:
            return size
        if BACKEND != "jax":
            return min(size, math.ceil(count / SMALLEST) * SMALLEST)
        while size // 2 >= max(count, SMALLEST):
            size //= 2
        return size


class _Rows:
    """Takes rows out of a stream of chunks."""

    def __init__(self, chunks):
        self.chunks, self.left = chunks, None

    def take(self, count):
        """The next `count` rows of every array."""
        while self.left is None or len(self.left["y"]) < count:
            chunk = next(self.chunks)
            parts = [chunk] if self.left is None else [self.left, chunk]
            self.left = {k: np.concatenate([part[k] for part in parts]) for k in chunk}
        taken = {k: v[:count].copy() for k, v in self.left.items()}
        self.left = {k: v[count:] for k, v in self.left.items()}
        return taken


@functools.lru_cache(maxsize=8)  # compiling costs more than attacking a few images does
def _compiled(attack, model, until):
    seeds = keras.random.SeedGenerator(0)
    random = bool(random_variables(model) or random_variables(getattr(attack, "source", None)))

    def begin(x, y, number):
        state = attack.begin(model, x, y, seeds, number)
        never = ops.zeros_like(state["done"])
        return state | {"enough": never, "stop": state["done"]}

    def step(slots, noise):
        x, y, enough, stop = (slots[name] for name in ("x", "y", "enough", "stop"))
        state = {k: v for k, v in slots.items() if k not in ("x", "y", "enough", "stop")}
        new = attack.step(model, state, x, y, noise if random else None)
        new = where(stop, state, new)
        if until is not None:
            enough = enough | (new["success"] & until(new["best"], x))
        return new | {"x": x, "y": y, "enough": enough, "stop": stop | new["done"] | enough}

    source = getattr(attack, "source", None)  # the other model of a transfer attack
    variables = [*model.variables, *(source.variables if source is not None else [])]
    return compiled(begin, [*variables, seeds.state]), compiled(step, variables), seeds


def _numpy(state):
    return {k: np.array(ops.convert_to_numpy(v)) for k, v in state.items()}


def _tensors(state):
    return {k: ops.convert_to_tensor(v) for k, v in state.items()}
