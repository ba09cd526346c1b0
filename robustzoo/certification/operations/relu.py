import dataclasses

from robustzoo.certification.operations._elementwise import Elementwise


@dataclasses.dataclass(frozen=True)
class ReLU(Elementwise):
    """max(z, q z) with 0 <= q < 1: ReLU where q = 0, else LeakyReLU.

    Where l < 0 < u the upper line is the chord, and the lower line t z for a t in [q, 1]:
        "same"      t is the chord's slope (Wong & Kolter, 2018, arXiv:1711.00851; Fast-Lin)
        "adaptive"  1 if u > -l, else q (CROWN, Zhang et al., 2018, arXiv:1811.00866)
        "zero"      q
        an array    a in [0, 1] of every entry, t = q + (1 - q) a (alpha-CROWN, arXiv:2011.13824)
    """

    shape: tuple[int, ...]
    q: float = 0.0

    def forward(self, xp, x):
        return xp.maximum(x, self.q * x)

    def interval(self, xp, box):
        return self.forward(xp, box[0]), self.forward(xp, box[1])

    def crossing(self, low, high):
        """Entries whose bounds need to be known better than by their sign."""
        return (low < 0) & (high > 0)

    def lines(self, xp, low, high, slope):
        crossing = self.crossing(low, high)
        width = xp.where(crossing, high - low, xp.ones_like(low))
        side = xp.where(low >= 0, xp.ones_like(low), xp.full_like(low, self.q))
        chord = xp.where(crossing, (high - self.q * low) / width, side)
        offset = xp.where(crossing, (self.q - chord) * low, xp.zeros_like(low))
        if isinstance(slope, str) and slope == "same":
            return chord, None, chord, offset
        if isinstance(slope, str):
            steep = (high > -low) if slope == "adaptive" else xp.zeros_like(crossing)
            lower = xp.where(steep, xp.ones_like(low), xp.full_like(low, self.q))
        else:
            lower = self.q + (1.0 - self.q) * slope
        return xp.where(crossing, lower, chord), None, chord, offset
