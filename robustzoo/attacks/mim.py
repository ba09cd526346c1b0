"""Momentum iterative method."""

import dataclasses
from collections.abc import Callable

from keras import ops

from robustzoo.attacks._arguments import (
    check_at_least,
    check_loss,
    check_positive,
    check_step_size,
    check_threat,
)
from robustzoo.attacks._model import gradient
from robustzoo.attacks.base import Attack, fooled, nothing_yet
from robustzoo.losses import cross_entropy
from robustzoo.threats import L1, L2, PIXELS, SMALLEST, Linf


@dataclasses.dataclass(frozen=True)
class MIM(Attack):
    """BIM along an average of gradients (Dong et al., 2018, arXiv:1710.06081).

        g <- decay g + grad / ||grad||_1,    z <- P(z + a s(g))

    From the clean image; P projects onto the ball and [0, 1]; s is sign(g) in Linf and
    g / ||g||_2 in L2.

    Args:
        threat: where the example may lie.
        step_size: a, in pixels of [0, 1].
        steps: number of gradient steps.
        decay: 1 in the paper; 0 is BIM.
        loss: (y, logits) -> (B,), ascended; descended when `targeted`.
        targeted: `y` holds the classes to reach rather than the true ones.
        draws: gradients averaged per step, each with fresh noise of a random model (EOT,
            Athalye et al., arXiv:1707.07397).
    """

    threat: Linf | L2 | L1
    step_size: float
    steps: int = 10
    decay: float = 1.0
    loss: Callable = cross_entropy
    targeted: bool = False
    draws: int = 1

    def __post_init__(self):
        check_loss(self)
        check_threat(self)
        check_step_size(self)
        check_positive(self, ("steps", "draws"))
        check_at_least(self, 0, "decay")

    def begin(self, model, x, y, seed, run):
        return nothing_yet(x, y) | {
            "z": self.threat.project(x, x),
            "momentum": ops.zeros_like(x),
        }

    def step(self, model, state, x, y, noise=None):
        sign = -1.0 if self.targeted else 1.0
        z = state["z"]
        losses, logits, slope = gradient(
            model, z, lambda logits: sign * self.loss(y, logits), noise, self.draws
        )
        # Unnormalised, the first steps' small gradients would count for nothing later.
        size = ops.sum(ops.abs(slope), axis=PIXELS, keepdims=True)
        momentum = self.decay * state["momentum"] + slope / ops.maximum(size, SMALLEST)
        return {
            "z": self.threat.project(z + self.step_size * self.threat.steepest(momentum), x),
            "momentum": momentum,
            "steps": state["steps"] + 1,
            "best": z,
            "success": fooled(logits, y, self.targeted),
            "value": losses,
            "done": state["steps"] >= self.steps,
        }
