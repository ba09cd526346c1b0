import dataclasses

from robustzoo.certification.patch import Patch


@dataclasses.dataclass(frozen=True)
class Pad:
    """Zeros around the images: ((top, bottom), (left, right))."""

    margins: tuple[tuple[int, int], tuple[int, int]]
    shape: tuple[int, ...]  # with the margins
    mixing = 0

    def read(self, xp):
        return ()

    def forward(self, xp, w, x, value=0.0):
        if not any(map(any, self.margins)):
            return x
        return xp.pad(x, [[0, 0], *map(list, self.margins), [0, 0]], constant_values=value)

    def interval(self, xp, w, box):
        return self.forward(xp, w, box[0]), self.forward(xp, w, box[1])

    def adjoint(self, xp, w, a):
        return (self.cut(a),), 0.0

    def adjoint_patch(self, xp, w, a):
        (above, below), (before, after) = self.margins
        if not any((above, below, before, after)):  # windows of convolutions never reach beyond
            return a, 0.0
        shape = self.shape[0] - above - below, self.shape[1] - before - after
        return Patch(a.values, a.top - above, a.left - before).within(xp, shape), 0.0

    def cut(self, x):
        """`x` (N, *shape) without the margins."""
        (top, bottom), (left, right) = self.margins
        return x[:, top : self.shape[0] - bottom, left : self.shape[1] - right]
