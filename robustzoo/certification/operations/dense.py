import dataclasses
from collections.abc import Callable

from robustzoo.certification.operations._affine import center_radius, folded, per_row


@dataclasses.dataclass(frozen=True)
class Dense:
    """x W + b over the last axis.

    Attributes:
        parameters: xp -> kernel (n, m), bias (m,) or None.
        scales: `Scale` operations per channel behind it, folded in.
    """

    parameters: Callable
    shape: tuple[int, ...]  # of an output, without the batch
    scales: tuple = ()
    mixing = 1

    def read(self, xp):
        return folded(xp, *self.parameters(xp), self.scales)

    def forward(self, xp, w, x):
        return xp.matmul(x, w[0]) + w[1]

    def interval(self, xp, w, box):
        center, radius = center_radius(box)
        center, radius = self.forward(xp, w, center), xp.matmul(radius, xp.abs(w[0]))
        return center - radius, center + radius

    def adjoint(self, xp, w, a):
        return (xp.matmul(a, xp.transpose(w[0])),), per_row(xp, a, w[1])

    def rows(self, xp, w, units):
        """L'e and <e, b> of single outputs (R,) of a vector."""
        return xp.take(xp.transpose(w[0]), units, axis=0), xp.take(w[1], units, axis=0)
