"""Momentum iterative method."""

import dataclasses
from collections.abc import Callable

from keras import ops

from robustzoo.attacks._model import gradient
from robustzoo.attacks.base import Attack, fooled
from robustzoo.losses import cross_entropy
from robustzoo.threats import L2, PIXELS, Linf


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

    threat: Linf | L2
    step_size: float
    steps: int = 10
    decay: float = 1.0
    loss: Callable = cross_entropy
    targeted: bool = False
    draws: int = 1

    def __post_init__(self):
        for name in ("steps", "draws"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} must be a positive integer. Received: {name}={value!r}")
        if self.decay < 0:
            raise ValueError(f"decay must be >= 0. Received: decay={self.decay}")

    @property
    def gradients(self):
        return self.draws

    def begin(self, model, x, y, seed, run):
        nobody = ops.zeros_like(y, "bool")
        return {
            "z": self.threat.project(x, x),
            "momentum": ops.zeros_like(x),
            "steps": ops.zeros_like(y, "int32"),
            "best": x,
            "success": nobody,
            "value": ops.full_like(y, -float("inf"), "float32"),
            "done": nobody,
        }

    def step(self, model, state, x, y, noise=None):
        sign = -1.0 if self.targeted else 1.0
        z = state["z"]
        losses, logits, slope = gradient(
            model, z, lambda logits: sign * self.loss(y, logits), noise, self.draws
        )
        # Unnormalised, the first steps' small gradients would count for nothing later.
        size = ops.sum(ops.abs(slope), axis=PIXELS, keepdims=True)
        momentum = self.decay * state["momentum"] + slope / ops.maximum(size, 1e-12)
        return {
            "z": self.threat.project(z + self.step_size * self.threat.steepest(momentum), x),
            "momentum": momentum,
            "steps": state["steps"] + 1,
            "best": z,
            "success": fooled(logits, y, self.targeted),
            "value": losses,
            "done": state["steps"] >= self.steps,
        }

    def _run(self, model, x, y, seed, run):
        state = super()._run(model, x, y, seed, run)
        return state | {"best": state["z"]}  # the last iterate, which no step has judged
