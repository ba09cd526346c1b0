"""The attack of Carlini and Wagner."""

import dataclasses

from keras import ops

from robustzoo.adam import adam
from robustzoo.attacks import _search
from robustzoo.attacks._arguments import check_at_least, check_positive
from robustzoo.attacks._model import gradient
from robustzoo.attacks.base import Attack, smaller, spread
from robustzoo.threats import L2, PIXELS


@dataclasses.dataclass(frozen=True)
class CarliniWagner(Attack):
    """Least ||z - x||_2 that fools the model (Carlini & Wagner, 2017, arXiv:1608.04644).

    Adam on w minimises ||z - x||_2^2 + c max(0, kappa - lead) with z = (tanh w + 1) / 2, where
    lead = max_{j != y} logit_j - logit_y, its negative if targeted. c is searched per example:
    times 10 until a search succeeds, bisected afterwards. Until one does, the next search goes on
    where the last one ended, and not at x: with few iterations this reaches more, and nearer.

    Args:
        confidence: kappa, the lead that a success needs, in logits.
        searches: values of c tried.
        iterations: most gradient steps per value of c; the paper has 10,000.
        learning_rate: of Adam, in w.
        initial_c: first c.
        targeted: `y` holds the classes to reach.
        draws: gradients averaged per step (EOT).
        abort_early: end a search when a tenth of its iterations, or 40, bring less than 0.01%.
    """

    confidence: float = 0.0
    searches: int = 9
    iterations: int = 1000
    learning_rate: float = 0.01
    initial_c: float = 1e-3
    targeted: bool = False
    draws: int = 1
    abort_early: bool = True

    minimal = True
    norm = L2

    def __post_init__(self):
        check_positive(self, ("searches", "iterations", "draws"), ("learning_rate", "initial_c"))
        check_at_least(self, 0, "confidence")

    @property
    def steps(self):
        return self.searches * self.iterations

    def begin(self, model, x, y, seed, run):
        start = ops.arctanh(0.999999 * (2.0 * x - 1.0))
        state = _search.opening(self, model, x, y, seed)
        return state | {"start": start} | _fresh(start, state["value"])

    def step(self, model, state, x, y, noise=None):
        reached = state["found"] | (state["upper"] < float("inf"))
        begun = ops.where(spread(reached), state["start"], state["w"])
        state = _search.restarted(state, _fresh(begun, state["c"]))
        tanh = ops.tanh(state["w"])
        z = (tanh + 1.0) / 2.0
        change, c = z - x, spread(state["c"])
        shortfall, logits, slope = gradient(
            model,
            z,
            lambda logits: ops.relu(self.confidence - _search.lead(y, logits, self.targeted)),
            noise,
            self.draws,
        )
        squared = ops.sum(ops.square(change), axis=PIXELS)
        hit = _search.hits(y, logits, self.targeted, self.confidence)
        kept = smaller(state, z, ops.sqrt(squared), hit)
        noted, ended = _search.progress(self, state, squared + state["c"] * shortfall)
        slope = (2.0 * change + c * slope) * (1.0 - ops.square(tanh)) / 2.0
        move, averages = adam(state, slope, state["iteration"])
        moved = {"w": state["w"] - self.learning_rate * move, "found": state["found"] | hit}
        state = state | kept | noted | averages | moved
        return _search.closing(self, state, ended)


def _fresh(start, like):
    """What every search begins with."""
    zeros, unknown = ops.zeros_like(start), ops.full_like(like, float("inf"))
    return {"w": start, "mean": zeros, "square": zeros, "lowest": unknown, "checked": unknown}
