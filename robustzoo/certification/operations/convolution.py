import dataclasses
import math
from collections.abc import Callable

from robustzoo.certification.operations._affine import center_radius, folded, per_row
from robustzoo.certification.operations.pad import Pad
from robustzoo.certification.patch import Patch


@dataclasses.dataclass(frozen=True)
class Convolution:
    """Two-dimensional convolution, as `keras.layers.Conv2D` of one group without dilation.

    Attributes:
        parameters: xp -> kernel (h, w, C, D), bias (D,) or None.
        pad: zeros around, before.
        scales: `Scale` operations per channel behind it, folded in.
    """

    parameters: Callable
    strides: tuple[int, int]
    pad: Pad
    shape: tuple[int, ...]
    scales: tuple = ()
    mixing = 1

    def read(self, xp):
        return folded(xp, *self.parameters(xp), self.scales)

    def forward(self, xp, w, x):
        return xp.convolve(self.pad.forward(xp, (), x), w[0], self.strides) + w[1]

    def interval(self, xp, w, box):
        center, radius = center_radius(box)
        radius = xp.convolve(self.pad.forward(xp, (), radius), xp.abs(w[0]), self.strides)
        center = self.forward(xp, w, center)
        return center - radius, center + radius

    def adjoint(self, xp, w, a):
        out = xp.convolve_adjoint(a, w[0], self.strides, self.pad.shape[:2])
        return (self.pad.cut(out),), per_row(xp, a, w[1])

    def spread(self, w):
        """An array of the input's channels per tap and output place."""
        return math.prod(w[0].shape[:3]) * math.prod(self.shape[:2])

    def adjoint_patch(self, xp, w, a):
        (height, width, _, _), (down, across) = w[0].shape, self.strides
        shape = (a.size[0] - 1) * down + height, (a.size[1] - 1) * across + width
        values = xp.convolve_adjoint(a.values, w[0], self.strides, shape)
        return self._patch(xp, values, a.top, a.left), per_row(xp, a.values, w[1])

    def rows(self, xp, w, units):
        """L'e and <e, b> of single outputs (R,): the kernel at its place."""
        filters, columns = w[0].shape[3], self.shape[1]
        values = xp.take(xp.transpose(w[0], (3, 0, 1, 2)), units % filters, axis=0)
        top, left = units // (filters * columns), units // filters % columns
        return self._patch(xp, values, top, left), xp.take(w[1], units % filters, axis=0)

    def _patch(self, xp, values, top, left):
        """Windows over the input, of outputs whose first are at `top` and `left`."""
        padded = Patch(values, top * self.strides[0], left * self.strides[1])
        return self.pad.adjoint_patch(xp, (), padded)[0]
