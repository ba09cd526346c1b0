"""The attack of Szegedy et al."""

import dataclasses

from keras import ops

from robustzoo.attacks import _search
from robustzoo.attacks._model import gradient
from robustzoo.attacks.base import Attack, fooled, where
from robustzoo.losses import cross_entropy
from robustzoo.threats import L2, PIXELS

MEMORY = 5  # pairs of steps and gradient changes that stand for the Hessian
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
        _search.check(self, ("searches", "iterations", "draws"), ("initial_c",))

    @property
    def steps(self):
        return self.searches * self.iterations

    @property
    def gradients(self):
        return self.draws

    def begin(self, model, x, y, seed, run):
        state = _search.opening(self, model, x, y)
        return state | _fresh(x, state["value"])

    def step(self, model, state, x, y, noise=None):
        trial, c = state["trial"], state["c"]
        losses, logits, slope = gradient(
            model, trial, lambda logits: self._loss(y, logits), noise, self.draws
        )
        squared = _dot(trial - x, trial - x)
        objective = squared + c * losses
        slope = 2.0 * (trial - x) + _search.spread(c) * slope
        hit = fooled(logits, y, self.targeted)
        kept = _search.recorded(state, trial, ops.sqrt(squared), hit)
        new = state | kept | _judged(state, trial, objective, slope, hit)
        ended = (
            (state["iteration"] + 1 >= self.iterations)
            | (state["objective"] - objective <= 1e-5 * objective) & (new["length"] == 1.0)
            | (new["length"] < SHORTEST)
        )
        ahead = _search.spread(new["length"]) * _direction(new)
        new = new | {"trial": ops.clip(new["z"] + ahead, 0.0, 1.0)}
        return _search.following(self, new, ended, _fresh(x, c))

    def _loss(self, y, logits):
        if self.targeted:
            return cross_entropy(y, logits)
        own = ops.one_hot(y, logits.shape[-1], dtype="bool")
        others = ops.logsumexp(ops.where(own, -float("inf"), logits), axis=-1)
        return ops.softplus(ops.sum(ops.where(own, logits, 0.0), axis=-1) - others)


def _fresh(x, like):
    """What every search begins with: any first trial point is lower than infinity."""
    zeros = ops.zeros_like(x)
    return {
        "z": x,
        "trial": x,
        "objective": ops.full_like(like, float("inf")),
        "slope": zeros,
        "length": ops.ones_like(like),
        "moves": ops.stack([zeros] * MEMORY, axis=1),
        "turns": ops.stack([zeros] * MEMORY, axis=1),
    }


def _judged(state, trial, objective, slope, hit):
    """Takes the trial point where it lowers the objective enough, else halves the step."""
    move, turn = trial - state["z"], slope - state["slope"]
    foreseen = ops.minimum(_dot(state["slope"], move), 0.0)
    taken = objective <= state["objective"] + 1e-4 * foreseen
    pairs = {"moves": state["moves"], "turns": state["turns"]}
    latest = {"moves": move[:, None], "turns": turn[:, None]}
    pushed = {k: ops.concatenate([v[:, 1:], latest[k]], axis=1) for k, v in pairs.items()}
    stay = {name: state[name] for name in ("z", "objective", "slope", "found")}
    stay["length"] = state["length"] / 2.0
    new = {"z": trial, "objective": objective, "slope": slope, "found": hit}
    new["length"] = ops.ones_like(objective)
    return where(taken, new, stay) | where(taken & _curved(move, turn), pushed, pairs)


def _direction(state):
    """-H slope on the pixels that are free to move, with H from the two-loop recursion."""
    z, slope = state["z"], state["slope"]
    held = ((z <= 0.0) & (slope > 0.0)) | ((z >= 1.0) & (slope < 0.0))
    free = ops.cast(ops.logical_not(held), "float32")
    scale, pairs, direction = ops.full_like(state["c"], 0.5), [], -slope * free
    for i in range(MEMORY):  # without curvature a pair counts for nothing
        move, turn = state["moves"][:, i] * free, state["turns"][:, i] * free
        curved, along = _curved(move, turn), _dot(move, turn)
        inverse = ops.where(curved, 1.0 / ops.where(curved, along, 1.0), 0.0)
        scale = ops.where(curved, along / ops.maximum(_dot(turn, turn), 1e-30), scale)
        pairs.append((move, turn, inverse))
    weights = []
    for move, turn, inverse in reversed(pairs):
        weights.append(inverse * _dot(move, direction))
        direction = direction - _search.spread(weights[-1]) * turn
    direction = _search.spread(scale) * direction
    for (move, turn, inverse), weight in zip(pairs, reversed(weights), strict=True):
        direction = direction + _search.spread(weight - inverse * _dot(turn, direction)) * move
    return direction


def _curved(move, turn):
    return _dot(move, turn) > 1e-6 * _dot(move, move)


def _dot(a, b):
    return ops.sum(a * b, axis=PIXELS)
