import dataclasses

from robustzoo.certification.operations._elementwise import Elementwise

HALVINGS = 30


@dataclasses.dataclass(frozen=True)
class Tanh(Elementwise):
    """tanh z; a sigmoid is one between two scales.

    Its lines, for each slope:
        "adaptive"  chord or tangent, whichever lies outside; across 0 the tangent through the far
                    end, found by bisection from the sound side (CROWN, arXiv:1811.00866)
        "same"      both of slope t = min(tanh' l, tanh' u), through the ends: tanh z - t z rises
        "zero"      the constants tanh l and tanh u
    """

    shape: tuple[int, ...]

    def forward(self, xp, x):
        return xp.tanh(x)

    def interval(self, xp, box):
        return xp.tanh(box[0]), xp.tanh(box[1])

    def crossing(self, low, high):
        """Entries whose bounds need to be known better than by their sign: all."""
        return low <= high

    def lines(self, xp, low, high, slope):
        if isinstance(slope, str) and slope in ("same", "zero"):
            ends = _slope(xp, low), _slope(xp, high)
            t = xp.minimum(*ends) if slope == "same" else xp.zeros_like(low)
            return t, xp.tanh(low) - t * low, t, xp.tanh(high) - t * high
        lower = _below(xp, low, high)
        t, offset = _below(xp, -high, -low)  # of the odd function, from the other side
        return *lower, t, -offset


def _slope(xp, z):
    return 1.0 - xp.square(xp.tanh(z))


def _below(xp, low, high):
    """Slope and offset of a line under tanh on [low, high].

    Where tanh is concave it is the chord, and so where the chord is no steeper than tanh at `low`;
    where it is convex, the tangent in the middle. Else the tangent at some d in [low, 0] that
    passes under the far end: it lies under the convex part, and under both ends of the concave one.
    """
    width = high - low
    wide = width > 1e-9
    chord = (xp.tanh(high) - xp.tanh(low)) / xp.where(wide, width, xp.ones_like(width))
    chord = xp.where(wide, chord, xp.minimum(_slope(xp, low), _slope(xp, high)))
    sound, beyond = low, xp.minimum(high, 0.0)
    for _ in range(HALVINGS):
        middle = (sound + beyond) / 2.0
        under = xp.tanh(middle) + _slope(xp, middle) * (high - middle) <= xp.tanh(high)
        sound, beyond = xp.where(under, middle, sound), xp.where(under, beyond, middle)
    point = xp.where(high <= 0, (low + high) / 2.0, sound)
    straight = (low >= 0) | (chord <= _slope(xp, low)) & (high > 0)
    point, slope = xp.where(straight, low, point), xp.where(straight, chord, _slope(xp, point))
    return slope, xp.tanh(point) - slope * point
