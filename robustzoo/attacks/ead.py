"""Elastic-net attack."""

import dataclasses

from keras import ops

from robustzoo.attacks import _search
from robustzoo.attacks._arguments import check_at_least, check_positive
from robustzoo.attacks._model import gradient
from robustzoo.attacks.base import Attack, smaller, spread
from robustzoo.threats import L1, PIXELS

RULES = ("en", "l1")


@dataclasses.dataclass(frozen=True)
class EAD(Attack):
    """Few changed pixels that fool the model (Chen et al., 2018, arXiv:1709.04114).

    Minimises c max(0, kappa - lead) + ||z - x||_2^2 + beta ||z - x||_1, with lead as in
    `CarliniWagner`: momentum k / (k + 3), a gradient step of rate a sqrt(1 - k / K) on all but the
    last term, then every change is shrunk by beta and clipped to [0, 1]. c is searched as by
    `CarliniWagner`. The model's gradient is taken at z, which is also judged; the paper's FISTA
    takes it where momentum leads and judges z by one more forward pass, for the same sizes.

    Args:
        beta: weight of the L1 norm; the paper has 0.001.
        rule: which success is best: of least "en" = beta L1 + L2^2, or of least "l1".
        confidence: kappa, the lead that a success needs, in logits.
        searches: values of c tried.
        iterations: K, most gradient steps per value of c.
        learning_rate: a.
        initial_c: first c.
        targeted: `y` holds the classes to reach.
        draws: gradients averaged per step (EOT).
        abort_early: end a search when a tenth of its iterations, or 40, bring less than 0.01%.
    """

    beta: float = 1e-2
    rule: str = "en"
    confidence: float = 0.0
    searches: int = 9
    iterations: int = 1000
    learning_rate: float = 0.01
    initial_c: float = 1e-3
    targeted: bool = False
    draws: int = 1
    abort_early: bool = True

    minimal = True
    norm = L1

    def __post_init__(self):
        if self.rule not in RULES:
            raise ValueError(f"rule must be one of {RULES}. Received: rule={self.rule!r}")
        check_positive(self, ("searches", "iterations", "draws"), ("learning_rate", "initial_c"))
        check_at_least(self, 0, "beta", "confidence")

    @property
    def steps(self):
        return self.searches * self.iterations

    def begin(self, model, x, y, seed, run):
        state = _search.opening(self, model, x, y, seed)
        return state | _fresh(x, state["value"])

    def step(self, model, state, x, y, noise=None):
        state = _search.restarted(state, _fresh(x, state["c"]))
        z, c, k = state["z"], state["c"], ops.cast(state["iteration"], "float32")
        shortfall, logits, slope = gradient(
            model, z, lambda logits: self._shortfall(y, logits), noise, self.draws
        )
        hit = _search.hits(y, logits, self.targeted, self.confidence)
        l1 = ops.sum(ops.abs(z - x), axis=PIXELS)
        elastic = self.beta * l1 + ops.sum(ops.square(z - x), axis=PIXELS)
        kept = smaller(state, z, l1 if self.rule == "l1" else elastic, hit)
        noted, ended = _search.progress(self, state, elastic + c * shortfall)
        rate = spread(self.learning_rate * ops.sqrt(1.0 - k / self.iterations))
        ahead = z + spread(k / (k + 3.0)) * (z - state["before"])
        new = _shrunk(ahead - rate * (2.0 * (ahead - x) + spread(c) * slope), x, self.beta)
        moved = {"z": new, "before": z, "found": state["found"] | hit}
        return _search.closing(self, state | kept | noted | moved, ended)

    def _shortfall(self, y, logits):
        return ops.relu(self.confidence - _search.lead(y, logits, self.targeted))


def _shrunk(z, x, beta):
    """argmin_u ||u - z||_2^2 / 2 + beta ||u - x||_1 over u in [0, 1]."""
    change = z - x
    return ops.clip(x + ops.sign(change) * ops.relu(ops.abs(change) - beta), 0.0, 1.0)


def _fresh(x, like):
    """What every search begins with."""
    unknown = ops.full_like(like, float("inf"))
    return {"z": x, "before": x, "lowest": unknown, "checked": unknown}
