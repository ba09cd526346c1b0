import dataclasses
import math

from robustzoo.certification.arrays import windows
from robustzoo.certification.operations._affine import pairs
from robustzoo.certification.operations.pad import Pad


@dataclasses.dataclass(frozen=True)
class MaxPool:
    """The largest of each window.

    Its lower line is the entry with the largest lower bound; so is the upper line where that bound
    is no less than the upper bound of every other, else the constant largest upper bound.
    """

    size: tuple[int, int]
    strides: tuple[int, int]
    pad: Pad
    shape: tuple[int, ...]

    def forward(self, xp, x):
        return xp.max(self._taps(xp, x), axis=0)

    def interval(self, xp, box):
        return self.forward(xp, box[0]), self.forward(xp, box[1])

    def crossing(self, low, high):
        """Entries whose bounds need to be known better than by their sign: all."""
        return low <= high

    def lines(self, xp, low, high, slope):
        """(taps, B, *shape) weights of the lower and the upper line, constant of the upper one."""
        lows, highs = self._taps(xp, low), self._taps(xp, high)
        best = xp.argmax(lows, axis=0)
        chosen = xp.stack([xp.equal(best, k) for k in range(math.prod(self.size))])
        others = xp.max(xp.where(chosen, xp.full_like(highs, -math.inf), highs), axis=0)
        sure = xp.max(lows, axis=0) >= others
        lower = xp.where(chosen, xp.ones_like(lows), xp.zeros_like(lows))
        upper = lower * xp.where(sure, xp.ones_like(others), xp.zeros_like(others))
        constant = xp.where(sure, xp.zeros_like(others), xp.max(highs, axis=0))
        return xp.moveaxis(lower, 0, 1), xp.moveaxis(upper, 0, 1), constant

    def adjoint(self, xp, lines, a):
        lower, upper, constant = lines
        above, below, taps = xp.maximum(a, 0.0), xp.minimum(a, 0.0), []
        for k in range(math.prod(self.size)):
            tap = above * lower[:, None, k] + below * upper[:, None, k]
            taps.append(xp.reshape(tap, (-1, *self.shape)))
        out = xp.spread(taps, self.size, self.strides, self.pad.shape[:2])
        return self.pad.cut(out), pairs(xp, below, constant), None

    def spread(self, w):
        """Both lines of the image of a row, and what becomes of its coefficients, per tap."""
        return 3 * math.prod(self.size) * math.prod(self.shape)

    def _taps(self, xp, x):
        x = self.pad.forward(xp, (), x, -math.inf)
        return xp.stack(windows(x, self.size, self.strides, self.shape[:2]))
