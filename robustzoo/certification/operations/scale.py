import dataclasses
from collections.abc import Callable

from robustzoo.certification.operations._affine import per_row


@dataclasses.dataclass(frozen=True)
class Scale:
    """x * factor + offset in every entry: BatchNormalization at inference, Rescaling, temperature.

    Attributes:
        moments: xp -> (factor, offset), each a number or (C,) for the last axis.
        scalar: whether both are the same for all entries, with no offset.
        batch_moments: (xp, x) -> the same by the statistics of a batch x (B, ..., C), where they
            decide it in training.
    """

    moments: Callable
    shape: tuple[int, ...]
    scalar: bool = False
    batch_moments: Callable | None = None
    mixing = 0

    def read(self, xp):
        return self.moments(xp)

    def forward(self, xp, w, x):
        return x * w[0] + w[1]

    def interval(self, xp, w, box):
        ends = [self.forward(xp, w, end) for end in box]
        return xp.minimum(*ends), xp.maximum(*ends)

    def adjoint(self, xp, w, a):
        return (a * w[0],), per_row(xp, a, w[1])
