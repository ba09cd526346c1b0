"""The misclassification surrogate of learning with a strong adversary."""

import dataclasses
import functools

from keras import ops

from robustzoo.attacks._arguments import check_positive, check_threat
from robustzoo.attacks._jacobian import leads
from robustzoo.attacks._model import forward, random_variables, within
from robustzoo.attacks.base import Attack, fooled
from robustzoo.backend import random_state
from robustzoo.losses import margin
from robustzoo.losses._own import rivals
from robustzoo.threats import L1, L2, Linf


@dataclasses.dataclass(frozen=True)
class MisclassificationSurrogate(Attack):
    """One step of length eps to the nearest rival of the linearised softmax (Adv_Alpha of LWA).

    With p = softmax(z), v_j = d(p_j - p_y) / dx and ||.||_* the dual norm, class j overtakes class
    y at the distance (p_y - p_j) / ||v_j||_*, along the direction in which v_j rises fastest:
    v_j / ||v_j||_2 in L2, sign(v_j) in Linf, sign at the largest |v_j| in L1. The step goes there
    for the j of least distance, negative where j is ahead already, and is cut to the ball and
    [0, 1]. Huang et al., 2015, arXiv:1511.03034.

    Args:
        threat: where the example may lie.
        classes: so many classes count, those of the largest logits, y among them.
        draws: gradients averaged, and outputs to judge by (EOT).
    """

    threat: Linf | L2 | L1
    classes: int = 10
    draws: int = 1

    steps = 1
    one_graph = True

    def __post_init__(self):
        check_threat(self)
        if not isinstance(self.classes, int) or self.classes < 2:
            raise ValueError(f"classes must be an integer >= 2. Received: {self.classes!r}")
        check_positive(self, ("draws",))

    @property
    def gradients(self):
        return self.draws * (self.classes - 1)

    @property
    def queries(self):
        return 2 * self.draws  # before the step, and after it

    def __call__(self, model, x, y, seed=0, training=False):
        """As every attack; the one step is not judged, so no forward pass is spent on that."""
        x = ops.convert_to_tensor(x, "float32")
        noise = random_state(seed) if random_variables(model) else None
        model = functools.partial(model, training=True) if training else model
        return ops.stop_gradient(self._moved(model, x, y, noise))

    def scaled(self, factor):
        """The same attack with eps times `factor`, which may be a tensor."""
        threat = dataclasses.replace(self.threat, eps=self.threat.eps * factor)
        return dataclasses.replace(self, threat=threat)

    def begin(self, model, x, y, seed, run):
        nobody = ops.zeros_like(y, "bool")
        low = ops.full_like(y, -float("inf"), "float32")
        return {"best": x, "success": nobody, "value": low, "done": nobody}

    def step(self, model, state, x, y, noise=None):
        z = self._moved(model, x, y, noise)
        logits = forward(model, z, within(noise, self.draws), self.draws)
        done = ops.ones_like(state["done"])
        return {"best": z, "success": fooled(logits, y), "value": margin(y, logits), "done": done}

    def _moved(self, model, x, y, noise):
        gaps, slopes = leads(model, x, y, self._others(model, x, y, noise), noise, self.draws)
        direction = self._nearest(gaps, slopes)
        return self.threat.project(x + self.threat.eps * self.threat.steepest(direction), x)

    def _others(self, model, x, y, noise):
        """The classes (B, K) of the largest logits but y."""
        logits = forward(model, x, noise, self.draws)
        return ops.top_k(rivals(logits, y), min(self.classes, logits.shape[-1]) - 1)[1]

    def _nearest(self, gaps, slopes):
        """v_j of the nearest rival, over 1 - p_y; of z_j - z_y (B, K) and slopes (B, K, H, W, C).

        v_j = p_j D_j + (p_y - p_j) sum_k p_k D_k with D_k = d(z_k - z_y) / dx. Over 1 - p_y the p_k
        are the softmax of the rivals alone, so a sure model does not lose the v_j to rounding.
        """
        shares = ops.exp(gaps - ops.logsumexp(gaps, axis=1, keepdims=True))
        p = ops.softmax(ops.concatenate([ops.zeros_like(gaps[:, :1]), gaps], axis=1), axis=1)
        ahead = p[:, :1] - p[:, 1:]
        wide = (slice(None), slice(None), None, None, None)
        mean = ops.sum(shares[wide] * slopes, axis=1, keepdims=True)
        v = shares[wide] * slopes + ahead[wide] * mean
        dual = self._dual(v)
        usable = ops.isfinite(dual) & (dual > 0)  # else no boundary is in sight
        distance = ops.where(usable, ahead / ops.where(usable, dual, 1.0), float("inf"))
        index = ops.argmin(distance, axis=1)[:, None, None, None, None]
        return ops.take_along_axis(v, index, axis=1)[:, 0]

    def _dual(self, v):
        pixels = (2, 3, 4)
        if isinstance(self.threat, Linf):
            return ops.sum(ops.abs(v), axis=pixels)
        if isinstance(self.threat, L2):
            return ops.sqrt(ops.sum(ops.square(v), axis=pixels))
        return ops.max(ops.abs(v), axis=pixels)
