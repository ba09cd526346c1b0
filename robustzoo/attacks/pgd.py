"""Projected gradient descent."""

import dataclasses
from collections.abc import Callable

import keras
from keras import ops

from robustzoo.backend import frozen, input_gradient, random_state, repeat
from robustzoo.losses import cross_entropy
from robustzoo.threats import L2, Linf

STARTS = ("uniform", "gaussian", "clean")


@dataclasses.dataclass(frozen=True)
class PGD:
    """Ascends a loss inside the threat: z <- P(z + a s(grad)) (Madry et al., arXiv:1706.06083).

    P projects onto the ball and [0, 1]; s is sign(g) in Linf and g / ||g||_2 in L2.

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

    threat: Linf | L2
    step_size: float
    steps: int = 10
    loss: Callable = cross_entropy
    start: str = "uniform"
    restarts: int = 1
    targeted: bool = False
    draws: int = 1

    def __post_init__(self):
        if self.start not in STARTS:
            raise ValueError(f"start must be one of {STARTS}. Received: start={self.start!r}")
        for name in ("steps", "restarts", "draws"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < (name != "steps"):
                raise ValueError(f"{name} must be a positive integer. Received: {name}={value!r}")
        if self.restarts > 1 and self.start == "clean":
            raise ValueError("restarts > 1 need a random start. Received: start='clean'")

    def __call__(self, model, x, y, seed=0, training=False):
        """Returns adversarial examples of `x` (B, H, W, C).

        Args:
            model: any callable from images to logits; its weights, statistics and seeds are
                left as they are.
            y: labels (B,), or whatever `loss` compares the logits with.
            seed: integer or `SeedGenerator`; a generator moves on, so calls differ.
            training: mode in which the model is called.
        """
        x = ops.convert_to_tensor(x, "float32")
        best = self._run(model, x, y, seed, training)
        for restart in range(1, self.restarts):
            again = seed + 7919 * restart if isinstance(seed, int) else seed
            best = self._worse(model, best, self._run(model, x, y, again, training), y, training)
        return ops.stop_gradient(best)

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
        return self.threat.project(x + keras.random.normal(ops.shape(x), 0.0, 1e-3, seed=seed), x)

    def ascend(self, model, z, x, y, noise=None, i=0, training=False):
        """One step from `z`; returns the next point and the model's logits at `z`.

        `noise` is a raw random state (2,) that, with the step number `i`, seeds the model's own
        noise; None keeps the noise that the model's next call would have.
        """
        sign = -1.0 if self.targeted else 1.0
        total = 0.0
        for draw in range(self.draws):
            reseeded = _reseeded(model, noise, i * self.draws + draw)

            def values(z, reseeded=reseeded):
                with frozen(reseeded):
                    logits = model(z, training=training) if training else model(z)
                return sign * self.loss(y, logits), logits

            _, logits, gradient = input_gradient(values, z)
            total = total + gradient
        return self.threat.project(z + self.step_size * self.threat.steepest(total), x), logits

    def _run(self, model, x, y, seed, training):
        start = self.first(x, seed)
        noise = random_state(seed) if _random_variables(model) else None
        return repeat(
            self.steps, lambda i, z: self.ascend(model, z, x, y, noise, i, training)[0], start
        )

    def _worse(self, model, old, new, y, training):
        def judge(z):
            with frozen():
                logits = model(z, training=training) if training else model(z)
            loss = self.loss(y, logits)
            if len(y.shape) > 1:  # the loss compares logits with something else than labels
                return ops.zeros_like(loss), loss
            hit = ops.cast(ops.equal(ops.cast(ops.argmax(logits, -1), y.dtype), y), loss.dtype)
            return (hit, -loss) if self.targeted else (1.0 - hit, loss)

        (old_wins, old_loss), (new_wins, new_loss) = judge(old), judge(new)
        better = (new_wins > old_wins) | ((new_wins == old_wins) & (new_loss > old_loss))
        return ops.where(better[:, None, None, None], new, old)


def _random_variables(model):
    """States of the `SeedGenerator`s inside `model`, which decide its next noise."""
    variables = getattr(model, "non_trainable_variables", [])
    return [v for v in variables if v.path.endswith("seed_generator_state")]


def _reseeded(model, noise, i):
    """Maps every random state of `model` to a fresh one, different for each `i`."""
    if noise is None:
        return []
    mapping = []
    for k, variable in enumerate(_random_variables(model)):
        offset = ops.stack([ops.cast(k, variable.dtype), ops.cast(i, variable.dtype)])
        mapping.append((variable, ops.cast(noise, variable.dtype) + offset))
    return mapping
