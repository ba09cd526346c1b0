"""DeepFool."""

import dataclasses

from keras import ops

from robustzoo.attacks._arguments import check_at_least
from robustzoo.attacks._jacobian import leads
from robustzoo.attacks._model import clean_logits, forward, within
from robustzoo.attacks.base import Attack, fooled, where
from robustzoo.losses._own import rivals
from robustzoo.threats import L2, Linf

TIE = 1e-4  # L2 distance by which a step aims past the boundary, so that a tie is not the end


@dataclasses.dataclass(frozen=True)
class DeepFool(Attack):
    """Steps to the nearest boundary of the linearised model (Moosavi-Dezfooli, arXiv:1511.04599).

    With f_k = z_k - z_y, w_k = df_k / dx and k the rival class of least |f_k| / ||w_k||_q:

        L2 (q = 2):   r <- r + |f_k| w_k / ||w_k||_2^2
        Linf (q = 1): r <- r + |f_k| sign(w_k) / ||w_k||_1

    The example is x + (1 + overshoot) r, clipped to [0, 1]; it is finished when misclassified.

    Args:
        norm: class of the norm to keep small, `L2` or `Linf`.
        steps: largest number of steps.
        classes: so many classes count, those of the largest clean logits, y among them.
        overshoot: fraction by which r is stretched.
        draws: gradients averaged per step, and outputs to judge by (EOT).
    """

    norm: type = L2
    steps: int = 50
    classes: int = 10
    overshoot: float = 0.02
    draws: int = 1

    minimal = True

    def __post_init__(self):
        if self.norm not in (L2, Linf):
            raise ValueError(f"norm must be the class L2 or Linf. Received: norm={self.norm!r}")
        for name, least in (("steps", 1), ("classes", 2), ("draws", 1)):
            value = getattr(self, name)
            if not isinstance(value, int) or value < least:
                raise ValueError(f"{name} must be an integer >= {least}. Received: {value!r}")
        check_at_least(self, 0, "overshoot")

    @property
    def gradients(self):
        return self.draws * (self.classes - 1)

    @property
    def queries(self):
        return self.draws

    def begin(self, model, x, y, seed, run):
        logits = clean_logits(self, model, x, seed)
        wrong = fooled(logits, y)
        count = min(self.classes, logits.shape[-1]) - 1
        return {
            "z": x,
            "total": ops.zeros_like(x),
            "rivals": ops.top_k(rivals(logits, y), count)[1],
            "steps": ops.zeros_like(y, "int32"),
            "best": x,
            "success": wrong,
            "value": ops.zeros_like(y, "float32"),
            "done": wrong,
        }

    def step(self, model, state, x, y, noise=None):
        total = state["total"] + self._shift(model, state, y, noise)
        z = ops.clip(x + (1.0 + self.overshoot) * total, 0.0, 1.0)
        success = fooled(forward(model, z, within(noise, self.draws), self.draws), y)
        new = {
            "z": z,
            "total": total,
            "rivals": state["rivals"],
            "steps": state["steps"] + 1,
            "best": ops.where(success[:, None, None, None], z, x),
            "success": success,
            "value": ops.where(success, -self.norm(0.0).distance(z, x), 0.0),
            "done": success | (state["steps"] + 1 >= self.steps),
        }
        return where(state["done"], state, new)

    def _shift(self, model, state, y, noise):
        """From z to the nearest of the linearised boundaries, shaped like the images."""
        f, w = leads(model, state["z"], y, state["rivals"], noise, self.draws)
        size = ops.abs(w) if self.norm is Linf else ops.square(w)
        power = ops.sum(size, axis=(2, 3, 4))  # ||w||_1 or ||w||_2^2
        dual = power if self.norm is Linf else ops.sqrt(power)
        usable = ops.isfinite(power) & (power > 0)  # else no boundary is in sight
        far = ops.where(usable, ops.abs(f) / ops.where(usable, dual, 1.0), float("inf"))
        nearest = ops.argmin(far, axis=1)[:, None]

        def chosen(v):
            index = ops.reshape(nearest, (-1, 1) + (1,) * (len(v.shape) - 2))
            return ops.take_along_axis(v, index, axis=1)[:, 0]

        far, dual, usable = (chosen(v)[:, None, None, None] for v in (far, dual, usable))
        w = ops.where(usable, chosen(w), 0.0)
        unit = ops.sign(w) if self.norm is Linf else w / ops.where(usable, dual, 1.0)
        return ops.where(usable, far, 0.0) * unit + TIE * L2(0.0).steepest(unit)
