import dataclasses

from robustzoo.certification.operations._affine import center_radius


@dataclasses.dataclass(frozen=True)
class Average:
    """Global average pooling of (H, W, C) to (C,), or to (1, 1, C) where `shape` says so."""

    source: tuple[int, ...]  # shape of an input
    shape: tuple[int, ...]
    mixing = 1

    def read(self, xp):
        return ()

    def forward(self, xp, w, x):
        return xp.reshape(xp.mean(x, axis=(1, 2)), (-1, *self.shape))

    def interval(self, xp, w, box):
        center, radius = center_radius(box)
        center, radius = self.forward(xp, w, center), self.forward(xp, w, radius)
        return center - radius, center + radius

    def adjoint(self, xp, w, a):
        height, width, channels = self.source
        share = xp.reshape(a, (-1, 1, 1, channels)) / (height * width)
        return (share + xp.zeros((1, height, width, 1), xp.dtype),), 0.0
