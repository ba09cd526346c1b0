"""Auto-PGD."""

import dataclasses
import math
from collections.abc import Callable

import keras
from keras import ops

from robustzoo.attacks import _apgd_halving, _apgd_sparsity
from robustzoo.attacks._arguments import check_loss, check_positive, check_threat
from robustzoo.attacks._model import clean_logits, gradient
from robustzoo.attacks.base import Attack, fooled, nothing_yet, spread, where
from robustzoo.losses import cross_entropy, dlr_targeted
from robustzoo.threats import L1, L2, Linf


@dataclasses.dataclass(frozen=True)
class APGD(Attack):
    """PGD that finds its own step size (Croce & Hein, 2020, arXiv:2003.01690).

    Linf and L2 start with steps of 2 eps and momentum; at checkpoints the step is halved, and the
    ascent starts again from the best point, where it stalls. L1 moves a fraction of the pixels,
    which adapts (Croce & Hein, 2021, arXiv:2103.01208). Returns the last point that fools the
    model, the clean image where none did.

    With `larger_eps`, as in AutoAttack's L1, 3/10 of the moves are within 3 eps, 3/10 within 2 eps
    and the rest within eps, each part a run of its own from the peak of the one before, projected.

    Args:
        threat: where the example may lie.
        steps: N moves, which take N + 1 gradients, N + 3 with `larger_eps`.
        loss: (y, logits) -> (B,), ascended; descended when `targeted`.
        restarts: independent runs.
        targets: K > 0 is APGD-T: run r ascends `dlr_targeted` instead of `loss`, towards the class
            of rank r + 2 of the clean logits, K classes in all; `restarts` times over.
        targeted: `y` holds the classes to reach rather than the true ones.
        draws: gradients averaged per step, each with fresh noise of a random model (EOT,
            Athalye et al., arXiv:1707.07397).
        larger_eps: of L1 alone.
    """

    threat: Linf | L2 | L1
    steps: int = 100
    loss: Callable = cross_entropy
    restarts: int = 1
    targets: int = 0
    targeted: bool = False
    draws: int = 1
    larger_eps: bool = False

    def __post_init__(self):
        check_loss(self)
        check_threat(self)
        check_positive(self, ("steps", "restarts", "draws"))
        if not isinstance(self.targets, int) or self.targets < 0:
            raise ValueError(f"targets must be an integer >= 0. Received: targets={self.targets!r}")
        if self.targets and (self.targeted or self.loss is not cross_entropy):
            raise ValueError(
                "targets > 0 brings its own loss and classes to reach: leave `loss` and `targeted`."
                f" Received: loss={self.loss!r}, targeted={self.targeted}"
            )
        allowed = (False, True) if isinstance(self.threat, L1) else (False,)
        if not any(self.larger_eps is value for value in allowed):
            raise ValueError(
                "larger_eps must be False, or of the threat L1 True. Received: "
                f"larger_eps={self.larger_eps!r}, threat {self.threat}"
            )

    def longest(self, x):
        return self.steps + 2 * self.larger_eps

    @property
    def runs(self):
        return self.restarts * max(1, self.targets)

    def begin(self, model, x, y, seed, run):
        state = nothing_yet(x, y)
        peak = {"peak": x, "peak_slope": ops.zeros_like(x), "peak_loss": state["value"]}
        widest = self._plan[0][0] * self.threat.eps
        z = self._start(x, dataclasses.replace(self.threat, eps=widest), seed)
        state = state | peak | {"z": z}
        if self.targets:
            state["target"] = self._target(model, x, seed, run)
        if self.larger_eps:
            return state | self._rule.anew(z, x, widest)
        return state | self._rule.first(x, widest)

    def step(self, model, state, x, y, noise=None):
        losses, logits, slope = self._look(model, state, y, noise)
        here = {"peak": state["z"], "peak_slope": slope, "peak_loss": losses}
        peak = where(losses > state["peak_loss"], here, state)
        found = {"best": state["z"], "success": ops.ones_like(state["done"]), "value": losses}
        steps, (factor, window) = state["steps"], self._planned(state["steps"])
        counts = fooled(logits, y, self.targeted) & (factor == 1)
        state = state | peak | where(counts, found, state)
        after, _ = self._planned(steps + 1)
        threat, eps = self._ball(after)
        restart, changes = self._rule.check(state, losses, window, x, eps)
        state = state | changes
        again = {"z": state["peak"], "slope": state["peak_slope"]}
        origin = where(restart, again, {"z": state["z"], "slope": slope})
        if self.larger_eps:
            origin = where(after < factor, again | {"slope": ops.zeros_like(x)}, origin)
        state = state | self._rule.move(state, origin["z"], origin["slope"], x, threat)
        if self.larger_eps:
            begun = self._rule.anew(state["z"], x, eps)
            begun["peak_loss"] = ops.full_like(losses, -float("inf"))
            state = state | where(after < factor, begun, state)
        return state | {"steps": steps + 1, "done": steps >= self.longest(x)}

    def _ball(self, factor):
        """The threat at `factor` times its eps, each example's own, and that eps.

        Both hold a number where there is but one ball, else one per example.
        """
        if not self.larger_eps:
            return self.threat, self.threat.eps
        eps = factor * self.threat.eps
        return dataclasses.replace(self.threat, eps=spread(eps)), eps

    def _planned(self, looks):
        """Of looks number (B,): see `_plan`."""
        factors, windows = zip(*self._plan, strict=True)
        factor = ops.take(ops.convert_to_tensor(factors, "float32"), looks)
        return factor, ops.take(ops.convert_to_tensor(windows, "int32"), looks)

    @property
    def _rule(self):
        return _apgd_sparsity if isinstance(self.threat, L1) else _apgd_halving

    @property
    def _plan(self):
        """Of each look its eps, as a multiple of the threat's, and the moves since a checkpoint.

        0 moves where it is no checkpoint.
        """
        balls = [(1, self.steps)]
        if self.larger_eps:
            large = min(math.ceil(0.3 * self.steps), self.steps // 2)
            balls = [(3, large), (2, large), (1, self.steps - 2 * large)]
        plan = []
        for factor, moves in balls:
            checkpoints = dict(self._rule.checkpoints(moves))
            plan += [(factor, checkpoints.get(look, 0)) for look in range(moves + 1)]
        # Those behind the last look are for examples that are done and stepped on in vain.
        return [*plan, (1, 0), (1, 0)]

    def _start(self, x, threat, seed):
        """On the surface of the ball (in L1: N(0, 1) projected), then inside [0, 1]."""
        if isinstance(threat, Linf):
            noise = keras.random.uniform(ops.shape(x), -1.0, 1.0, x.dtype, seed=seed)
            noise = noise / ops.max(ops.abs(noise), axis=(1, 2, 3), keepdims=True)
            return threat.project(x + threat.eps * noise, x)
        noise = keras.random.normal(ops.shape(x), dtype=x.dtype, seed=seed)
        if isinstance(threat, L2):
            noise = threat.eps * threat.steepest(noise)
        return threat.project(x + noise, x)

    def _target(self, model, x, seed, run):
        logits = clean_logits(self, model, x, seed)
        if self.targets >= logits.shape[-1]:
            raise ValueError(
                f"targets must be less than the {logits.shape[-1]} classes."
                f" Received: targets={self.targets}"
            )
        ranking = ops.cast(ops.top_k(logits, self.targets + 1)[1], "int32")
        return ops.take(ranking, run % self.targets + 1, axis=1)

    def _look(self, model, state, y, noise):
        """Loss (B,), logits (B, L) and gradient at `z`."""

        def ascended(logits):
            if self.targets:
                return dlr_targeted(y, logits, state["target"])
            return -self.loss(y, logits) if self.targeted else self.loss(y, logits)

        return gradient(model, state["z"], ascended, noise, self.draws)
