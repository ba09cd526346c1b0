"""Square attack."""

import dataclasses
import functools
import math
from collections.abc import Callable

import numpy as np
from keras import ops

from robustzoo.attacks._arguments import check_loss, check_number, check_positive, check_threat
from robustzoo.attacks._counter import random_keys, uniform
from robustzoo.attacks._model import forward, per_example
from robustzoo.attacks._windows import hills_table, inside, tiles
from robustzoo.attacks.base import Attack, fooled, nothing_yet, where
from robustzoo.losses import margin
from robustzoo.threats import L1, L2, PIXELS, Linf

HALVED = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)
ROUNDING = 1e-6  # of logits; what is no more is no rise, else a tie would depend on the batch


@dataclasses.dataclass(frozen=True)
class Square(Attack):
    """Random search by squares, from outputs alone (Andriushchenko et al., arXiv:1912.00049).

    Linf starts from vertical stripes of +-eps; try k adds +-2 eps per channel in a square at a
    random place, then projects. L2 starts from a grid of hills and holes; a try moves the change
    within two squares into one of them, as another hill and hole. L1 is the same with that norm
    (Croce & Hein, 2021, arXiv:2103.01208). A try stays if it raises the loss; one that fools the
    model ends the attack, unless the model is random, where it may be luck and the loss goes on
    rising. The side of the squares is round(sqrt(p H W)) (in L2 and L1 odd and at least 3), and p
    is halved after k = 10, 50, 200, 500, 1000, 2000, 4000, 6000 and 8000, whatever `steps` is, as
    AutoAttack does.

    Args:
        threat: where the example may lie.
        steps: queries of the model, the one for the start included.
        p: first fraction of the pixels that a square covers.
        loss: (y, logits) -> (B,), to be raised; to be lowered when `targeted`.
        restarts: independent runs.
        targeted: `y` holds the classes to reach rather than the true ones.
        draws: outputs averaged per query of a random model.
    """

    threat: Linf | L2 | L1
    steps: int = 5000
    p: float = 0.8
    loss: Callable = margin
    restarts: int = 1
    targeted: bool = False
    draws: int = 1

    gradients = 0

    def __post_init__(self):
        check_loss(self)
        check_threat(self)
        check_positive(self, ("steps", "restarts", "draws"))
        check_number(self, "p", "in (0, 1]", lambda p: 0 < p <= 1)

    @property
    def queries(self):
        return self.draws

    def side(self, k: int, height: int, width: int) -> int:
        """Side of the square of try k = 0, 1, ..., in pixels."""
        p = self.p / 2 ** sum(k > bound for bound in HALVED)
        side = max(round(math.sqrt(p * height * width)), 1)
        if not isinstance(self.threat, Linf):
            side = max(side, 3) // 2 * 2 + 1
        return min(side, height, width)

    def begin(self, model, x, y, seed, run):
        key = random_keys(ops.shape(x)[0], seed)
        return nothing_yet(x, y) | {
            "z": self.threat.project(x + self._start(key, x), x),
            "key": key,
        }

    def step(self, model, state, x, y, noise=None):
        logits = forward(model, state["z"], noise, self.draws)
        loss, hit = per_example(self.loss(y, logits)), fooled(logits, y, self.targeted)
        value = -loss if self.targeted else loss
        enough = state["value"] + ROUNDING * ops.max(ops.abs(logits), axis=-1)
        old = {name: state[name] for name in ("best", "success", "value")}
        new = {"best": state["z"], "success": hit, "value": value}
        ends = hit if noise is None else ops.zeros_like(hit)
        kept = where(ends | (value > enough), new, old)
        change = self._colour if isinstance(self.threat, Linf) else self._swap
        steps = state["steps"] + 1
        return kept | {
            "z": self.threat.project(x + change(state, kept["best"] - x), x),
            "key": state["key"],
            "steps": steps,
            "done": ends | (steps >= self.steps),
        }

    def _start(self, key, x):
        """Stripes or tiles, before their projection."""
        _, width, channels = shape = x.shape[1:]
        before = ops.full_like(key, -1)  # the tries count from 0
        if isinstance(self.threat, Linf):
            return self.threat.eps * _sign(uniform(key, before, (1, width, channels)))
        number, pattern = tiles(shape, self._order)
        drawn = uniform(key, before, (int(number.max()) + 1, channels + 1))
        drawn = ops.take(drawn, number, axis=1)
        pattern = ops.where(drawn[..., -1:] < 0.5, pattern[0][..., None], pattern[1][..., None])
        pattern = pattern * _sign(drawn[..., :-1])
        # Of norm 1 in every tile, which in L1 the projection makes sparse.
        return pattern if self._order == 1 else self.threat.eps * self.threat.steepest(pattern)

    def _colour(self, state, delta):
        """The next change in Linf, before its projection."""
        shape, k = delta.shape[1:], state["steps"]
        drawn = uniform(state["key"], k, (2 + shape[2],))
        square, _, _ = inside(drawn[:, :2], ops.take(_sides(self, shape), k), shape)
        colour = 2.0 * self.threat.eps * _sign(drawn[:, 2:])
        return delta + ops.where(square, colour[:, None, None, :], 0.0)

    def _swap(self, state, delta):
        """The next change in L2 or L1: its norm is eps, per channel what it was in both squares."""
        shape, k = delta.shape[1:], state["steps"]
        levels, hills = _hills(self, shape)
        side, level = ops.take(_sides(self, shape), k), ops.take(levels, k)
        drawn = uniform(state["key"], k, (5 + shape[2],))
        filled, row, column = inside(drawn[:, :2], side, shape)
        emptied, _, _ = inside(drawn[:, 2:4], side, shape)
        image = 2 * level + ops.cast(drawn[:, 4] < 0.5, "int32")
        index = (image[:, None, None] * shape[0] + row) * shape[1] + column
        eta = ops.take(hills, ops.where(filled[..., 0], index, 0))
        hill = eta[..., None] * _sign(drawn[:, 5:])[:, None, None, :]
        mixed = ops.where(filled, hill + self._unit(ops.where(filled, delta, 0.0)), 0.0)
        unused = self.threat.eps**self._order - ops.sum(self._powers(delta), PIXELS, keepdims=True)
        size = self._power(ops.where(filled | emptied, delta, 0.0)) + ops.relu(unused) / shape[2]
        return ops.where(filled | emptied, self._unit(mixed) * self._root(size), delta)

    @property
    def _order(self):
        """Of the norm of L2 or L1."""
        return 1 if isinstance(self.threat, L1) else 2

    def _powers(self, change):
        return ops.abs(change) if self._order == 1 else ops.square(change)

    def _root(self, power):
        return power if self._order == 1 else ops.sqrt(power)

    def _power(self, change):
        return ops.sum(self._powers(change), axis=(1, 2), keepdims=True)

    def _unit(self, change):
        """Norm 1 in every channel, or 0."""
        return change / ops.maximum(self._root(self._power(change)), 1e-12)


@functools.lru_cache(maxsize=8)  # where nothing is compiled, every step asks for it
def _sides(attack, shape):
    """Sides of all tries; of one more too, which the driver computes for finished examples."""
    return np.array([attack.side(k, *shape[:2]) for k in range(attack.steps + 1)], "int32")


@functools.lru_cache(maxsize=8)
def _hills(attack, shape):
    """Which image of `hills_table` each try takes, and all the images in a row."""
    sides, levels = np.unique(_sides(attack, shape), return_inverse=True)
    return levels.astype("int32"), hills_table(sides, shape, attack._order).ravel()


def _sign(drawn):
    return ops.where(drawn < 0.5, -1.0, 1.0)
