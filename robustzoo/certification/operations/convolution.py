import dataclasses
import math
from collections.abc import Callable

from robustzoo.certification.operations._affine import center_radius, folded, per_row
from robustzoo.certification.operations.pad import Pad


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

    def rows(self, xp, w, units):
        """L'e and <e, b> of single outputs (R,): the kernel at its place, no arithmetic."""
        (height, width, channels, filters), (_, columns, _) = w[0].shape, self.shape
        table = xp.reshape(xp.transpose(w[0], (3, 0, 1, 2)), (-1, channels))
        row, column = units // (filters * columns), units // filters % columns
        i = xp.arange(self.pad.shape[0])[None, :] - (row * self.strides[0])[:, None]
        j = xp.arange(self.pad.shape[1])[None, :] - (column * self.strides[1])[:, None]
        inside = ((i >= 0) & (i < height))[:, :, None] & ((j >= 0) & (j < width))[:, None, :]
        tap = (units % filters * height)[:, None, None] + i[:, :, None]
        tap = xp.where(inside, tap * width + j[:, None, :], 0)
        out = xp.where(inside[..., None], xp.take(table, tap, axis=0), 0.0)
        return self.pad.cut(out), xp.take(w[1], units % filters, axis=0)
