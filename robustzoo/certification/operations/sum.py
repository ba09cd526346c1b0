import dataclasses


@dataclasses.dataclass(frozen=True)
class Sum:
    """The sum of tensors of one shape: where a skip connection comes back."""

    count: int
    shape: tuple[int, ...]
    mixing = 2

    def read(self, xp):
        return ()

    def forward(self, xp, w, *x):
        return sum(x)

    def interval(self, xp, w, *boxes):
        return sum(low for low, _ in boxes), sum(high for _, high in boxes)

    def adjoint(self, xp, w, a):
        return (a,) * self.count, 0.0
