"""Projected gradient descent."""

import dataclasses
import functools
from collections.abc import Callable

import keras
from keras import ops

from robustzoo.attacks._arguments import check_loss, check_positive, check_step_size, check_threat
from robustzoo.attacks._model import forward, gradient, later, random_variables
from robustzoo.attacks.base import RESTART, Attack, exceeds, fooled, nothing_yet
from robustzoo.backend import random_state, repeat
from robustzoo.losses import cross_entropy
from robustzoo.threats import L1, L2, Linf

STARTS = ("uniform", "gaussian", "clean")


@dataclasses.dataclass(frozen=True)
class PGD(Attack):
    """Ascends a loss inside the threat: z <- P(z + a s(grad)) (Madry et al., arXiv:1706.06083).

    P projects onto the ball and [0, 1]; s is sign(g) in Linf, g / ||g||_2 in L2, and in L1 the sign
    of the largest |g| alone, which makes many steps weak there: take `APGD`.

    Args:
        threat: where the example may lie.
        step_size: a, in pixels of [0, 1].
        steps: number of gradient steps.
        loss: (y, logits) -> (B,), ascended; descended when `targeted`.
        start: "uniform" in the ball, "gaussian" (x + 0.001 N(0, 1), as TRADES), or "clean".
        restarts: independent runs; per example the one that fools the model, else of most loss.
        targeted: `y` holds the classes to reach rather than the true ones.
        draws: gradients averaged per step, each with fresh noise of a random model (EOT,
            Athalye et al., arXiv:1707.07397).
    """

    threat: Linf | L2 | L1
    step_size: float
    steps: int = 10
    loss: Callable = cross_entropy
    start: str = "uniform"
    restarts: int = 1
    targeted: bool = False
    draws: int = 1

    one_graph = True

    def __post_init__(self):
        check_loss(self)
        check_threat(self)
        check_step_size(self)
        if self.start not in STARTS:
            raise ValueError(f"start must be one of {STARTS}. Received: start={self.start!r}")
        check_positive(self, ("restarts", "draws"))
        if not isinstance(self.steps, int) or self.steps < 0:
            raise ValueError(f"steps must be an integer >= 0. Received: steps={self.steps!r}")
        if self.restarts > 1 and self.start == "clean":
            raise ValueError("restarts > 1 need a random start. Received: start='clean'")

    def __call__(self, model, x, y, seed=0, training=False):
        """Returns adversarial examples of `x` (B, H, W, C), the last iterates.

        Args:
            model: any callable from images to logits; its weights, statistics and seeds are
                left as they are.
            y: labels (B,), or whatever `loss` compares the logits with.
            seed: integer or `SeedGenerator`; a generator moves on, so calls differ.
            training: mode in which the model is called.
        """
        x = ops.convert_to_tensor(x, "float32")
        model = functools.partial(model, training=True) if training else model
        best = self._last(model, x, y, seed)
        for restart in range(1, self.restarts):
            again = seed + RESTART * restart if isinstance(seed, int) else seed
            best = self._worse(model, best, self._last(model, x, y, again), y)
        return ops.stop_gradient(best)

    def begin(self, model, x, y, seed, run):
        return nothing_yet(x, y) | {"z": self.first(x, seed)}

    def step(self, model, state, x, y, noise=None):
        moved, losses, logits = self.ascend(model, state["z"], x, y, noise)
        return {
            "z": moved,
            "steps": state["steps"] + 1,
            "best": state["z"],
            "success": fooled(logits, y, self.targeted),
            "value": losses,
            "done": state["steps"] >= self.steps,
        }

    def scaled(self, factor):
        """The same attack with eps and step size times `factor`, which may be a tensor."""
        threat = dataclasses.replace(self.threat, eps=self.threat.eps * factor)
        return dataclasses.replace(self, threat=threat, step_size=self.step_size * factor)

    def first(self, x, seed):
        """Returns the starting point, shaped like `x`."""
        if self.start == "clean":
            return self.threat.project(x, x)
        if self.start == "uniform":
            return self.threat.random_start(x, seed)
        return self.threat.project(
            x + keras.random.normal(ops.shape(x), 0.0, 1e-3, x.dtype, seed=seed), x
        )

    def ascend(self, model, z, x, y, noise=None):
        """One step from `z`; returns the next point, and loss (B,) and logits (B, L) at `z`."""
        sign = -1.0 if self.targeted else 1.0
        losses, logits, direction = gradient(
            model, z, lambda logits: sign * self.loss(y, logits), noise, self.draws
        )
        z = self.threat.project(z + self.step_size * self.threat.steepest(direction), x)
        return z, losses, logits

    def _last(self, model, x, y, seed):
        start = self.first(x, seed)
        noise = random_state(seed) if random_variables(model) else None
        return repeat(
            self.steps, lambda i, z: self.ascend(model, z, x, y, later(noise, i))[0], start
        )

    def _worse(self, model, old, new, y):
        def judge(z):
            logits = forward(model, z)
            loss = self.loss(y, logits)
            if len(y.shape) > 1:  # the loss compares logits with something else than labels
                return ops.zeros_like(loss), loss
            wins = ops.cast(fooled(logits, y, self.targeted), loss.dtype)
            return wins, -loss if self.targeted else loss

        (old_wins, old_loss), (new_wins, new_loss) = judge(old), judge(new)
        higher = exceeds(new_loss, old_loss)
        better = (new_wins > old_wins) | ((new_wins == old_wins) & higher)
        return ops.where(better[:, None, None, None], new, old)
