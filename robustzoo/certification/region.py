"""The images that a bound holds for."""

import dataclasses
from typing import Any

from robustzoo.certification.operations._affine import of_rows
from robustzoo.threats import L1, L2, Linf

NORMS = (Linf, L2, L1)


@dataclasses.dataclass(frozen=True)
class Region:
    """Balls of radius eps (B,) around images x (B, H, W, C), of one norm, clipped or not.

    Attributes:
        norm: `Linf`, `L2` or `L1`.
        clip: whether pixels stay in [0, 1], too. Linf bounds use that exactly; of L2 and L1 they
            take the better of the whole ball and of the box around it, clipped.
    """

    x: Any
    eps: Any
    norm: type
    clip: bool = True

    def box(self, xp):
        """(low, high) of every pixel."""
        eps = self._per_image(xp, self.x)
        low, high = self.x - eps, self.x + eps
        return (xp.maximum(low, 0.0), xp.minimum(high, 1.0)) if self.clip else (low, high)

    def least(self, xp, a, index):
        """min <a, z> over the z of the image of each row a (R, H, W, C), shape (R,).

        Over a ball it is <a, x> - eps ||a||* in the dual norm: L1 of Linf, L2 of L2, max of L1.
        """
        bounds = []
        if self.norm is Linf or self.clip:
            low, high = self.box(xp)
            center, radius = (of_rows(xp, v, index) for v in (low + high, high - low))
            bounds.append(_total(xp, a * center - xp.abs(a) * radius) / 2.0)
        if self.norm is not Linf:
            ball = _total(xp, a * of_rows(xp, self.x, index))
            bounds.append(ball - of_rows(xp, self.eps, index) * self.dual(xp, a))
        return bounds[0] if len(bounds) == 1 else xp.maximum(*bounds)

    def dual(self, xp, a):
        """The dual norm of each row, shape (R,)."""
        if self.norm is L2:
            return xp.sqrt(_total(xp, xp.square(a)))
        return xp.max(xp.abs(a), axis=(1, 2, 3)) if self.norm is L1 else _total(xp, xp.abs(a))

    def _per_image(self, xp, like):
        return xp.reshape(self.eps, (-1, *(1,) * (len(like.shape) - 1)))


def _total(xp, x):
    return xp.sum(x, axis=(1, 2, 3))
