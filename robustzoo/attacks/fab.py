"""Fast adaptive boundary attack."""

import dataclasses

from keras import ops

from robustzoo.attacks._arguments import (
    check_at_least,
    check_number,
    check_positive,
    check_threat,
)
from robustzoo.attacks._hyperplane import shortest
from robustzoo.attacks._model import clean_logits, forward, gradient, within
from robustzoo.attacks.base import Attack, fooled, smaller, spread
from robustzoo.losses._own import own
from robustzoo.threats import L1, L2, PIXELS, Linf


@dataclasses.dataclass(frozen=True)
class FAB(Attack):
    """Smallest change, along linearised boundaries (FAB-T; Croce & Hein, arXiv:1907.02044).

    f = logit_t - logit_y, linearised at z, is 0 on a hyperplane; d1 and d2 are the shortest ways to
    it inside [0, 1], from z and from the clean image x:

        a = min(||d1|| / (||d1|| + ||d2||), alpha_max)
        z <- clip((1 - a) (z + eta d1) + a (x + eta d2), 0, 1)

    A misclassified z is kept if it is the nearest to x so far; then z <- x + beta (z - x). Run r
    goes against the class t of the (r mod `targets` + 2)-th largest clean logit, and ends at once
    where there are fewer classes. As in AutoAttack, no search on the line to x follows.

    Args:
        threat: its norm is kept small. Its eps bounds nothing: it only places the random starts,
            which are uniform in the ball of eps / 2.
        steps: of each run.
        targets: classes gone against, one run each.
        restarts: rounds of `targets` runs; all but the first start at random.
        eta: overshoot past the hyperplane.
        beta: backward step.
        alpha_max: largest pull towards x.
        draws: gradients averaged per step, and outputs to judge by (EOT).
    """

    threat: Linf | L2 | L1
    steps: int = 100
    targets: int = 9
    restarts: int = 1
    eta: float = 1.05
    beta: float = 0.9
    alpha_max: float = 0.1
    draws: int = 1

    minimal = True

    def __post_init__(self):
        check_threat(self)
        check_positive(self, ("steps", "targets", "restarts", "draws"))
        check_at_least(self, 1, "eta")
        check_number(self, "beta", "in (0, 1)", lambda beta: 0 < beta < 1)
        check_number(self, "alpha_max", "in [0, 1]", lambda alpha_max: 0 <= alpha_max <= 1)

    @property
    def queries(self):
        return self.draws

    @property
    def runs(self):
        return self.targets * self.restarts

    def begin(self, model, x, y, seed, run):
        logits = clean_logits(self, model, x, seed)
        wrong, classes = fooled(logits, y), logits.shape[-1]
        rank = run % self.targets + 1
        ranking = ops.cast(ops.top_k(logits, classes)[1], "int32")
        return {
            "z": self._start(x, seed, run),
            "target": ops.take(ranking, ops.minimum(rank, classes - 1), axis=1),
            "steps": ops.zeros_like(y, "int32"),
            "best": x,
            "success": wrong,
            "value": ops.zeros_like(y, "float32"),
            "done": ops.logical_or(wrong, rank >= classes),
        }

    def step(self, model, state, x, y, noise=None):
        z = self._towards_boundary(model, state, x, y, noise)
        hit = fooled(forward(model, z, within(noise, self.draws), self.draws), y)
        steps = state["steps"] + 1
        kept = smaller(state, z, self.threat.distance(z, x), hit)
        return kept | {
            "z": ops.where(hit[:, None, None, None], x + self.beta * (z - x), z),
            "target": state["target"],
            "steps": steps,
            "done": state["done"] | (steps >= self.steps),
        }

    def _start(self, x, seed, run):
        if self.restarts == 1:
            return x
        near = dataclasses.replace(self.threat, eps=self.threat.eps / 2)
        return ops.where(run < self.targets, x, near.random_start(x, seed))

    def _towards_boundary(self, model, state, x, y, noise):
        def lead(logits):
            return own(logits, state["target"]) - own(logits, y)

        z = state["z"]
        f, _, w = gradient(model, z, lead, noise, self.draws)
        f = ops.where(ops.isfinite(f), f, 0.0)
        d1 = shortest(self.threat, z, w, -f)
        d2 = shortest(self.threat, x, w, ops.sum(w * (z - x), axis=PIXELS) - f)
        size1, size2 = (ops.maximum(self.threat.distance(d, 0.0), 1e-8) for d in (d1, d2))
        pull = spread(ops.minimum(size1 / (size1 + size2), self.alpha_max))
        return ops.clip((1.0 - pull) * (z + self.eta * d1) + pull * (x + self.eta * d2), 0.0, 1.0)
