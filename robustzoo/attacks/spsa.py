"""Simultaneous perturbation stochastic approximation."""

import dataclasses
import math
from collections.abc import Callable

from keras import ops

from robustzoo.adam import adam
from robustzoo.attacks._arguments import check_loss, check_positive, check_threat
from robustzoo.attacks._counter import random_bits, random_keys
from robustzoo.attacks._model import forward, per_example, within
from robustzoo.attacks.base import Attack, fooled, nothing_yet
from robustzoo.backend import repeat
from robustzoo.losses import margin
from robustzoo.threats import L1, L2, Linf

GROUP = 8  # directions per forward pass: more would be faster for tiny batches, and cost memory


@dataclasses.dataclass(frozen=True)
class SPSA(Attack):
    """Adam on gradients estimated from outputs alone (Uesato et al., 2018, arXiv:1802.05666).

    From the clean image z <- P(z + Adam(g)), with g of `spsa_gradient`.

    Args:
        threat: where the example may lie.
        steps: number of Adam steps.
        samples: directions per step; each costs two forward passes.
        delta: length of the difference, in pixels of [0, 1].
        learning_rate: of Adam, in pixels of [0, 1].
        loss: (y, logits) -> (B,), ascended; descended when `targeted`.
        targeted: `y` holds the classes to reach rather than the true ones.
        draws: outputs averaged per forward pass, of a random model (EOT).
    """

    threat: Linf | L2 | L1
    steps: int = 100
    samples: int = 128
    delta: float = 0.01
    learning_rate: float = 0.01
    loss: Callable = margin
    targeted: bool = False
    draws: int = 1

    gradients = 0

    def __post_init__(self):
        check_loss(self)
        check_threat(self)
        check_positive(self, ("steps", "samples", "draws"), ("delta", "learning_rate"))

    @property
    def queries(self):
        return self.draws * (2 * self.samples + 1)  # and one to judge the new point

    def begin(self, model, x, y, seed, run):
        return nothing_yet(x, y) | {
            "z": self.threat.project(x, x),
            "mean": ops.zeros_like(x),
            "square": ops.zeros_like(x),
            "key": random_keys(ops.shape(y)[0], seed),
        }

    def step(self, model, state, x, y, noise=None):
        z, steps = state["z"], state["steps"]
        sign = -1.0 if self.targeted else 1.0

        def values(z, y, i):
            logits = forward(model, z, within(noise, self.draws * i), self.draws)
            return sign * per_example(self.loss(y, logits))

        slope = spsa_gradient(values, z, y, state["key"], steps, self.samples, self.delta)
        move, averages = adam(state, slope, steps)
        z = self.threat.project(z + self.learning_rate * move, x)
        logits = forward(model, z, within(noise, self.draws * self.samples), self.draws)
        return averages | {
            "z": z,
            "key": state["key"],
            "steps": steps + 1,
            "best": z,
            "success": fooled(logits, y, self.targeted),
            "value": sign * self.loss(y, logits),
            "done": steps + 1 >= self.steps,
        }


def spsa_gradient(values, z, y, key, counter, samples, delta):
    """Mean over v of (f(z + delta v) - f(z - delta v)) / (2 delta) v, shaped like `z`.

    The v are +-1 in every pixel, independently. The mean of v v^T is the identity, so that for a
    linear f the expectation is its gradient.

    Args:
        values: f: images, their labels and the number of the call -> (B,).
        z: images (B, H, W, C).
        y: labels (B,).
        key, counter: int32 (B,); an example's directions follow from its own two.
        samples: number of directions.
        delta: half the length of the difference, in pixels of [0, 1].
    """
    group, shape = math.gcd(samples, GROUP), z.shape[1:]
    words = random_bits(key, counter, (math.ceil(samples / 32), *shape))
    centre, labels = ops.repeat(z, group, axis=0), ops.repeat(y, group, axis=0)

    def add(i, total):
        v = directions(words, group * i + ops.arange(group, dtype="int32"))
        shift = delta * ops.reshape(v, (-1, *shape))
        rise = values(centre + shift, labels, i) - values(centre - shift, labels, i)
        # One direction without an outcome must not undo all others, nor Adam's averages.
        rise = ops.where(ops.isfinite(rise), rise, 0.0)
        rise = ops.reshape(rise, (-1, group, 1, 1, 1)) / (2.0 * delta)
        return total + ops.sum(rise * v, axis=1)

    return repeat(samples // group, add, ops.zeros_like(z)) / samples


def directions(words, numbers):
    """Signs (B, K, H, W, C): direction k of `numbers` (K,) is bit k % 32 of word k // 32."""
    chosen = ops.take(words, numbers // 32, axis=1)
    place = ops.reshape(numbers % 32, (-1, 1, 1, 1))
    return ops.cast(2 * ops.bitwise_and(ops.right_shift(chosen, place), 1) - 1, "float32")
