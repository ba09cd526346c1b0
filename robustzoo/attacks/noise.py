"""Random noise."""

import dataclasses
import math
from collections.abc import Callable

from keras import ops

from robustzoo.attacks._arguments import check_loss, check_positive, check_threat
from robustzoo.attacks._counter import normal, random_keys, uniform
from robustzoo.attacks.base import Attack, nothing_yet, tried
from robustzoo.losses import margin
from robustzoo.threats import L2, Linf

KINDS = ("uniform", "gaussian")


@dataclasses.dataclass(frozen=True)
class Noise(Attack):
    """Draws images near `x` until one fools the model; what noise breaks was never robust.

    A random model may be fooled by luck: there, all draws are made and the worst is taken.

    "uniform" is uniform in the ball; "gaussian" is x + s N(0, 1), projected onto it, with
    s = eps / 2 in Linf and eps / sqrt(d) in L2 for d pixels. Both are clipped to [0, 1]. If no
    draw fools the model, the one of the highest loss is returned.

    Args:
        threat: where the example may lie.
        kind: "uniform" or "gaussian".
        steps: largest number of draws; a claim about noise takes 10,000.
        loss: (y, logits) -> (B,), to choose among draws that do not fool the model.
        targeted: `y` holds the classes to reach rather than the true ones.
        draws: outputs averaged per try, of a random model.
    """

    threat: Linf | L2
    kind: str = "uniform"
    steps: int = 10_000
    loss: Callable = margin
    targeted: bool = False
    draws: int = 1

    gradients = 0

    def __post_init__(self):
        check_loss(self)
        check_threat(self, Linf, L2)
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {KINDS}. Received: kind={self.kind!r}")
        check_positive(self, ("steps", "draws"))

    @property
    def queries(self):
        return self.draws

    def begin(self, model, x, y, seed, run):
        return nothing_yet(x, y) | {"key": random_keys(ops.shape(y)[0], seed)}

    def step(self, model, state, x, y, noise=None):
        z = self.threat.project(x + self._draw(state["key"], state["steps"], x), x)
        new = tried(self, model, state, z, y, noise)
        steps = state["steps"] + 1
        ends = new["success"] if noise is None else ops.zeros_like(new["success"])
        return new | {"steps": steps, "done": ends | (steps >= self.steps)}

    def _draw(self, key, counter, x):
        eps, shape = self.threat.eps, tuple(x.shape[1:])
        if isinstance(self.threat, Linf):
            if self.kind == "uniform":
                return eps * (2.0 * uniform(key, counter, shape) - 1.0)
            return eps / 2.0 * normal(key, counter, shape)
        gaussian, size = normal(key, counter, shape), math.prod(shape)
        if self.kind == "gaussian":
            return eps / math.sqrt(size) * gaussian
        # A negative counter: no draw of this example has used these bits.
        radius = uniform(key, -1 - counter, (1, 1, 1)) ** (1.0 / size)
        return eps * radius * self.threat.steepest(gaussian)
