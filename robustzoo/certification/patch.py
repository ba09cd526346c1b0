"""Rows of coefficients that are zero outside of a window, as those of a unit of a convolution."""

import dataclasses
import math
from typing import Any


def saves_work(window, shape) -> bool:
    """Whether windows (h, w, C) are so much smaller than images of `shape` that they save work."""
    return 2 * math.prod(window) <= math.prod(shape)


@dataclasses.dataclass(frozen=True)
class Patch:
    """Rows over images (H, W, C), each zero but in a window of its own, which may reach beyond.

    What a window holds beyond the image is zero.

    Attributes:
        values: (R, h, w, C), what lies in the windows.
        top, left: (R,), where they begin in the image.
    """

    values: Any
    top: Any
    left: Any

    @property
    def size(self) -> tuple[int, ...]:
        """(h, w, C)."""
        return tuple(self.values.shape[1:])

    def small(self, shape) -> bool:
        """`saves_work` of the windows, in images of `shape`."""
        return saves_work(self.size, shape)

    def scaled(self, xp, factors) -> "Patch":
        """Every row times its factor (R,)."""
        values = self.values * xp.reshape(factors, (-1, 1, 1, 1))
        return dataclasses.replace(self, values=values)

    def within(self, xp, shape) -> "Patch":
        """The same, with zeros beyond images of `shape`."""
        inside = _inside(*self._places(xp), shape)
        values = xp.where(inside[..., None], self.values, 0.0)
        return dataclasses.replace(self, values=values)

    def of(self, xp, values, count: int):
        """What `values` (B, H, W, C) hold in the windows, (R, h, w, C); any of theirs beyond.

        Args:
            count: of the rows of each image; they go through the images in their order.
        """
        height, width, channels = values.shape[1:]
        row, column = self._places(xp)
        image = xp.arange(xp.shape(self.top)[0])[:, None] // count
        row = image * height + xp.clip(row, 0, height - 1)
        place = row[:, :, None] * width + xp.clip(column, 0, width - 1)[:, None, :]
        return xp.take(xp.reshape(values, (-1, channels)), place, axis=0)

    def region(self, xp, region, count: int):
        """The part of a `Region` in each window; beyond the image any, where rows are zero."""
        x, eps = self.of(xp, region.x, count), xp.repeat(region.eps, count)
        return dataclasses.replace(region, x=x, eps=eps)

    def whole(self, xp, shape):
        """The rows, (R, *shape)."""
        height, width, channels = self.size
        row = xp.arange(shape[0])[None, :] - self.top[:, None]
        column = xp.arange(shape[1])[None, :] - self.left[:, None]
        inside = _inside(row, column, self.size)
        row = xp.arange(xp.shape(self.top)[0])[:, None] * height + row
        place = xp.where(inside, row[:, :, None] * width + column[:, None, :], 0)
        flat = xp.reshape(self.values, (-1, channels))
        return xp.where(inside[..., None], xp.take(flat, place, axis=0), 0.0)

    def _places(self, xp):
        """Rows (R, h) and columns (R, w) of the image that the windows are of."""
        height, width, _ = self.size
        return self.top[:, None] + xp.arange(height), self.left[:, None] + xp.arange(width)


def _inside(row, column, shape):
    """Which places at rows (R, h) and columns (R, w) lie in (H, W, ...), (R, h, w)."""
    vertical, horizontal = (
        (place >= 0) & (place < size) for place, size in zip((row, column), shape, strict=False)
    )
    return vertical[:, :, None] & horizontal[:, None, :]
