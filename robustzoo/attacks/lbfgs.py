"""The attack of Szegedy et al."""

import dataclasses
import math

from keras import ops

from robustzoo.attacks import _search
from robustzoo.attacks._arguments import check_positive
from robustzoo.attacks._model import gradient
from robustzoo.attacks.base import Attack, fooled, smaller, spread, where
from robustzoo.losses import cross_entropy
from robustzoo.losses._own import own, rivals
from robustzoo.threats import L2, PIXELS

MEMORY = 5  # pairs of steps and gradient changes that stand for the Hessian
CURVED = 1e-6  # least curvature of a pair that counts
SHORTEST = 2.0**-10  # a line search that gets there has found nothing


@dataclasses.dataclass(frozen=True)
class LBFGS(Attack):
    """Least ||z - x||_2 that fools the model (Szegedy et al., 2014, arXiv:1312.6199).

    L-BFGS in the box [0, 1] minimises ||z - x||_2^2 + c loss(z), where loss = -log p_y if targeted
    and -log(1 - p_y), which is the same for two classes, if not; the paper writes 1 / c before the
    norm. c is searched per example as by `CarliniWagner`, and judged by the minimiser.

    Pixels at a bound towards which the descent points are held; the others move along the two-loop
    direction, clipped, its length halved until the objective falls (Armijo, 1e-4). One step of
    the attack is one trial point: a gradient, and 2 x 5 images of memory per example.

    Args:
        searches: values of c tried.
        iterations: most trial points per value of c.
        initial_c: first c.
        targeted: `y` holds the classes to reach.
        draws: gradients averaged per step (EOT).
    """

    searches: int = 15
    iterations: int = 100
    initial_c: float = 1e-2
    targeted: bool = False
    draws: int = 1

    minimal = True
    norm = L2

    def __post_init__(self):
        check_positive(self, ("searches", "iterations", "draws"), ("initial_c",))

    @property
    def steps(self):
        return self.searches * self.iterations

    def begin(self, model, x, y, seed, run):
        state = _search.opening(self, model, x, y, seed)
        fresh = _fresh(x, state["value"])
        first = {"trial": x, "trial_objective": fresh["objective"], "trial_slope": fresh["slope"]}
        return state | fresh | first | {"taken": ops.ones_like(state["found"])}

    def step(self, model, state, x, y, noise=None):
        state = _search.restarted(_judged(state), _fresh(x, state["c"]))
        z, c = state["z"], state["c"]
        trial = ops.clip(z + spread(state["length"]) * _direction(state), 0.0, 1.0)
        losses, logits, slope = gradient(
            model, trial, lambda logits: self._loss(y, logits), noise, self.draws
        )
        squared = _dot(trial - x, trial - x)
        objective = squared + c * losses
        slope = 2.0 * (trial - x) + spread(c) * slope
        hit = fooled(logits, y, self.targeted)
        kept = smaller(state, trial, ops.sqrt(squared), hit)
        foreseen = ops.minimum(_dot(state["slope"], trial - z), 0.0)
        taken = objective <= state["objective"] + 1e-4 * foreseen
        new = {"trial": trial, "trial_objective": objective, "trial_slope": slope, "taken": taken}
        found = ops.where(taken, hit, state["found"])
        settled = state["objective"] - objective <= 1e-5 * objective
        ended = ops.where(taken, settled, state["length"] <= SHORTEST)
        ended = ended | (state["iteration"] + 1 >= self.iterations)
        return _search.closing(self, state | kept | new | {"found": found}, ended)

    def _loss(self, y, logits):
        if self.targeted:
            return cross_entropy(y, logits)
        return ops.softplus(own(logits, y) - ops.logsumexp(rivals(logits, y), axis=-1))


def _fresh(x, like):
    """What every search begins with: without a slope, the first trial point is `x` itself."""
    zeros = ops.zeros_like(x)
    return {
        "z": x,
        "objective": ops.full_like(like, float("inf")),
        "slope": zeros,
        "length": ops.ones_like(like),
        "moves": ops.stack([zeros] * MEMORY, axis=1),
        "turns": ops.stack([zeros] * MEMORY, axis=1),
    }


def _judged(state):
    """Goes to the last trial point if it lowered the objective enough, else halves the step."""
    move, turn = state["trial"] - state["z"], state["trial_slope"] - state["slope"]
    new = {
        "z": state["trial"],
        "objective": state["trial_objective"],
        "slope": state["trial_slope"],
        "length": ops.ones_like(state["length"]),
        "moves": ops.concatenate([state["moves"][:, 1:], move[:, None]], axis=1),
        "turns": ops.concatenate([state["turns"][:, 1:], turn[:, None]], axis=1),
    }
    return where(state["taken"], state | new, state | {"length": state["length"] / 2.0})


def _direction(state):
    """-H slope on the pixels that are free to move, with H from the two-loop recursion.

    The recursion stays in the span of the moves, the turns and the slope, so it only needs their
    inner products (Chen et al., 2014, "Large-scale L-BFGS using MapReduce").
    """
    z, slope = state["z"], state["slope"]
    held = ((z <= 0.0) & (slope > 0.0)) | ((z >= 1.0) & (slope < 0.0))
    span = ops.concatenate([state["moves"], state["turns"], slope[:, None]], axis=1)
    span = ops.where(held[:, None], 0.0, span)
    flat = ops.reshape(span, (-1, 2 * MEMORY + 1, math.prod(z.shape[1:])))
    weights = _two_loops(ops.matmul(flat, ops.transpose(flat, (0, 2, 1))))
    return ops.reshape(ops.matmul(weights[:, None], flat), ops.shape(z))


def _two_loops(products):
    """Weights (B, 2 M + 1) of moves, turns and slope from their inner products."""
    inverse, scale = [], 0.5 * ops.ones_like(products[:, 0, 0])
    for i in range(MEMORY):  # without curvature a pair counts for nothing
        along, turn = products[:, i, MEMORY + i], products[:, MEMORY + i, MEMORY + i]
        curved = along > CURVED * products[:, i, i]
        inverse.append(ops.where(curved, 1.0 / ops.where(curved, along, 1.0), 0.0))
        scale = ops.where(curved, along / ops.maximum(turn, 1e-30), scale)
    weights = [ops.zeros_like(scale)] * (2 * MEMORY) + [-ops.ones_like(scale)]

    def onto(i):
        return ops.sum(products[:, i] * ops.stack(weights, axis=1), axis=1)

    shares = [None] * MEMORY
    for i in reversed(range(MEMORY)):
        shares[i] = inverse[i] * onto(i)
        weights[MEMORY + i] = weights[MEMORY + i] - shares[i]
    weights = [scale * weight for weight in weights]
    for i in range(MEMORY):
        weights[i] = weights[i] + shares[i] - inverse[i] * onto(MEMORY + i)
    return ops.stack(weights, axis=1)


def _dot(a, b):
    return ops.sum(a * b, axis=PIXELS)
