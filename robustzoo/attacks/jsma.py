"""Jacobian-based saliency map attack."""

import dataclasses
import math

from keras import ops

from robustzoo.attacks._arguments import check_number, check_positive
from robustzoo.attacks._jacobian import jacobian
from robustzoo.attacks._l0 import L0
from robustzoo.attacks._model import clean_logits
from robustzoo.attacks.base import Attack, fooled, where
from robustzoo.losses._own import own


@dataclasses.dataclass(frozen=True)
class JSMA(Attack):
    """Changes the most salient pair of features, again and again (Papernot, arXiv:1511.07528).

    With a_i = dz_t / dx_i and b_i = sum_{j != t} dz_j / dx_i, the pair (p, q) has the saliency

        -(a_p + a_q)(b_p + b_q)  where a_p + a_q > 0 and b_p + b_q < 0, both times sign(theta).

    Both features move by theta, clipped to [0, 1], and are not touched again. An example ends at
    its target, where no pair is salient, or after floor(n gamma / 2) pairs of its n = HWC features.
    Distance is the number of features changed.

    Args:
        theta: change of a feature, in pixels of [0, 1]; negative to darken.
        gamma: largest fraction of features to change.
        draws: Jacobians averaged per step (EOT).
    """

    theta: float = 1.0
    gamma: float = 0.1
    draws: int = 1

    targeted = True  # `y` holds the classes to reach
    minimal = True
    norm = L0

    def __post_init__(self):
        check_number(self, "theta", "in [-1, 1], not 0", lambda theta: 0 < abs(theta) <= 1)
        check_number(self, "gamma", "in (0, 1]", lambda gamma: 0 < gamma <= 1)
        check_positive(self, ("draws",))

    @property
    def gradients(self):
        return 2 * self.draws

    def longest(self, x):
        return self._rounds(x)

    def begin(self, model, x, y, seed, run):
        reached = fooled(clean_logits(self, model, x, seed), y, targeted=True)
        return {
            "z": x,
            "free": flat(x < 1 if self.theta > 0 else x > 0),
            "rounds": ops.zeros_like(y, "int32"),
            "best": x,
            "success": reached,
            "value": ops.zeros_like(y, "float32"),
            "done": reached,
        }

    def step(self, model, state, x, y, noise=None):
        z = state["z"]
        hit, rise, fall = self._directions(model, z, y, noise)
        score, first, second = best_pair(rise, fall, state["free"])
        ended = hit | (score <= 0) | (state["rounds"] >= self._rounds(x))
        size = state["free"].shape[1]
        pair = ops.one_hot(first, size, dtype="bool") | ops.one_hot(second, size, dtype="bool")
        pair = pair & ops.logical_not(ended)[:, None]
        new = {
            "z": ops.where(ops.reshape(pair, ops.shape(x)), ops.clip(z + self.theta, 0.0, 1.0), z),
            "free": state["free"] & ops.logical_not(pair),
            "rounds": state["rounds"] + 1,
            "best": ops.where(hit[:, None, None, None], z, x),
            "success": hit,
            "value": ops.where(hit, -L0(0.0).distance(z, x), 0.0),
            "done": ended,
        }
        return where(state["done"], state, new)

    def _directions(self, model, z, y, noise):
        """Whether `z` has reached its target (B,), and sign(theta) times a and -b, both (B, n)."""
        sign = math.copysign(1.0, self.theta)

        def target(logits):
            return sign * own(logits, y)

        def others(logits):
            return target(logits) - sign * ops.sum(logits, axis=-1)

        logits, _, slopes = jacobian(model, z, [target, others], noise, self.draws)
        return fooled(logits, y, targeted=True), *(flat(slope) for slope in slopes)

    def _rounds(self, x):
        return int(math.prod(x.shape[1:]) * self.gamma / 2)


def best_pair(rise, fall, free):
    """Score (B,) and indices (B,), (B,) of the pair with the largest product of positive sums.

    max over p != q, both `free`, of relu(rise_p + rise_q) relu(fall_p + fall_q). All inputs are
    (B, n). The table has n^2 entries; it is gone through by diagonals (p, p + d), of n each.
    """
    size = rise.shape[1]
    rise = ops.where(free, rise, -float("inf"))
    fall = ops.where(free, fall, 0.0)

    def diagonal(i, best):
        scores, gaps = best
        across = ops.relu(rise + ops.roll(rise, -1 - i, axis=1))
        score = across * ops.relu(fall + ops.roll(fall, -1 - i, axis=1))
        better = score > scores
        return ops.where(better, score, scores), ops.where(better, 1 + i, gaps)

    start = ops.zeros_like(rise), ops.zeros_like(rise, "int32")
    # Half of the diagonals hold every pair, as p + d is taken modulo n.
    scores, gaps = ops.fori_loop(0, size // 2, diagonal, start)
    first = ops.cast(ops.argmax(scores, axis=1), "int32")
    gap = ops.take_along_axis(gaps, first[:, None], axis=1)[:, 0]
    return ops.max(scores, axis=1), first, (first + gap) % size


def flat(x):
    """(B, H, W, C) as (B, n)."""
    return ops.reshape(x, (-1, math.prod(x.shape[1:])))
