"""What the elementwise nonlinear operations share."""

from robustzoo.certification.operations._affine import pairs


class Elementwise:
    """A function of every entry by itself, between two lines.

    `lines` gives (lower slope, lower offset, upper slope, upper offset), (B, *shape), the lower
    offset None where it is 0; the same object for both slopes says that the lines are parallel.
    <a, f(z)> is least on the lower line where a > 0, on the upper one where a < 0.
    """

    def adjoint(self, xp, lines, a):
        slope, offset, upper_slope, upper_offset = lines
        below = xp.minimum(a, 0.0)
        low = pairs(xp, below, upper_offset)
        if slope is not upper_slope:
            low = low if offset is None else low + pairs(xp, a - below, offset)
            out = a * slope[:, None] + below * (upper_slope - slope)[:, None]
            return out, low, None
        high = pairs(xp, a, upper_offset) - low
        if offset is not None:
            lower = pairs(xp, below, offset)
            low, high = low + pairs(xp, a, offset) - lower, high + lower
        return a * slope[:, None], low, high
