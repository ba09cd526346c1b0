"""The images that a bound holds for."""

import dataclasses
from typing import Any

from robustzoo.certification.operations._affine import pairs
from robustzoo.threats import L1, L2, Linf

NORMS = (Linf, L2, L1)
PIXEL = (-3, -2, -1)  # the axes of an image


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

    def least(self, xp, a):
        """min <a, z> over the z of its image, of each row a (B, K, H, W, C), shape (B, K).

        Over a ball it is <a, x> - eps ||a||* in the dual norm: L1 of Linf, L2 of L2, max of L1.
        """
        bounds = []
        if self.norm is Linf or self.clip:
            low, high = self.box(xp)
            center, radius = (low + high) / 2.0, (high - low) / 2.0
            bounds.append(pairs(xp, a, center) - pairs(xp, xp.abs(a), radius))
        if self.norm is not Linf:
            bounds.append(pairs(xp, a, self.x) - xp.reshape(self.eps, (-1, 1)) * self.dual(xp, a))
        return bounds[0] if len(bounds) == 1 else xp.maximum(*bounds)

    def dual(self, xp, a):
        """The dual norm of each row a (..., H, W, C)."""
        if self.norm is L2:
            return xp.sqrt(_total(xp, xp.square(a)))
        return xp.max(xp.abs(a), axis=PIXEL) if self.norm is L1 else _total(xp, xp.abs(a))

    def _per_image(self, xp, like):
        return xp.reshape(self.eps, (-1, *(1,) * (len(like.shape) - 1)))


def _total(xp, x):
    return xp.sum(x, axis=PIXEL)
