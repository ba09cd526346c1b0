"""Iterative least-likely class method."""

import dataclasses
from collections.abc import Callable

from keras import ops

from robustzoo.attacks._model import clean_logits
from robustzoo.attacks.base import Attack, fooled
from robustzoo.attacks.bim import bim
from robustzoo.losses import cross_entropy
from robustzoo.threats import L1, L2, Linf


@dataclasses.dataclass(frozen=True)
class ILCM(Attack):
    """BIM towards argmin of the clean logits (Kurakin et al., 2017, arXiv:1607.02533).

    `y` holds the true classes: any other one is a success.

    Args:
        threat: where the example may lie.
        step_size: in pixels of [0, 1].
        steps: number of gradient steps.
        loss: (target, logits) -> (B,), descended.
        draws: gradients averaged per step, each with fresh noise of a random model (EOT,
            Athalye et al., arXiv:1707.07397).
    """

    threat: Linf | L2 | L1
    step_size: float
    steps: int = 10
    loss: Callable = cross_entropy
    draws: int = 1

    def __post_init__(self):
        self._bim()  # which checks the arguments

    def begin(self, model, x, y, seed, run):
        target = ops.cast(ops.argmin(clean_logits(self, model, x, seed), axis=-1), "int32")
        return {**self._bim().begin(model, x, y, seed, run), "target": target}

    def step(self, model, state, x, y, noise=None):
        z, target = state["z"], state["target"]
        moved, values, logits = self._bim().ascend(model, z, x, target, noise)
        return {
            "z": moved,
            "target": target,
            "steps": state["steps"] + 1,
            "best": z,
            "success": fooled(logits, y),
            "value": values,
            "done": state["steps"] >= self.steps,
        }

    def _bim(self):
        options = {"loss": self.loss, "draws": self.draws, "targeted": True}
        return bim(self.threat, self.step_size, self.steps, **options)
