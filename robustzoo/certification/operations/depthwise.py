import dataclasses
import math
from collections.abc import Callable
from typing import Any

from robustzoo.certification.arrays import windows
from robustzoo.certification.operations._affine import center_radius, folded, per_row
from robustzoo.certification.operations.pad import Pad


@dataclasses.dataclass(frozen=True)
class Depthwise:
    """Convolution of every channel by itself, and average pooling, which is one.

    Attributes:
        parameters: xp -> kernel (h, w, C, multiplier), bias (C multiplier,) or None.
        counts: (H', W', 1) that outputs are divided by, or None: "same" pooling averages over what
            lies inside the image.
    """

    parameters: Callable
    strides: tuple[int, int]
    pad: Pad
    shape: tuple[int, ...]
    counts: Any = None
    scales: tuple = ()
    mixing = 1

    def read(self, xp):
        kernel, bias = self.parameters(xp)
        height, width, channels, multiplier = kernel.shape
        kernel = xp.reshape(kernel, (height, width, channels * multiplier))
        kernel, bias = folded(xp, kernel, bias, self.scales)
        return kernel, bias, xp.read(1.0 if self.counts is None else self.counts), multiplier

    def forward(self, xp, w, x):
        return self._linear(xp, w, x, w[0]) + w[1]

    def interval(self, xp, w, box):
        center, radius = center_radius(box)
        center, radius = self.forward(xp, w, center), self._linear(xp, w, radius, xp.abs(w[0]))
        return center - radius, center + radius

    def adjoint(self, xp, w, a):
        kernel, bias, counts, multiplier = w
        size, scaled = kernel.shape[:2], a / counts
        taps = [scaled * kernel[i, j] for i in range(size[0]) for j in range(size[1])]
        out = xp.spread(taps, size, self.strides, self.pad.shape[:2])
        if multiplier > 1:
            out = xp.reshape(
                out, (-1, *self.pad.shape[:2], self.shape[-1] // multiplier, multiplier)
            )
            out = xp.sum(out, axis=-1)
        return (self.pad.cut(out),), per_row(xp, a, bias)

    def spread(self, w):
        """An array of the output's size per tap."""
        return math.prod(w[0].shape[:2]) * math.prod(self.shape)

    def _linear(self, xp, w, x, kernel):
        x = self.pad.forward(xp, (), x)
        if w[3] > 1:
            x = xp.repeat(x, w[3], axis=-1)
        taps = windows(x, kernel.shape[:2], self.strides, self.shape[:2])
        width = kernel.shape[1]
        return sum(tap * kernel[k // width, k % width] for k, tap in enumerate(taps)) / w[2]
