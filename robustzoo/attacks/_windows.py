"""Squares at random places of an image, and what the Square attack fills them with in L2 and L1.

Every example has a square of its own: side (B,), and its upper left corner.
"""

import numpy as np
from keras import ops


def inside(at, side, shape: tuple[int, int, int]):
    """Mask (B, H, W, 1) of squares; rows (B, H, 1), columns (B, 1, W) counted from the corner.

    Args:
        at: where they lie, uniform in [0, 1)^2, shape (B, 2).
        side: int32 (B,), at most H and W.
        shape: (H, W, C).
    """
    top, left = (
        ops.floor(at[:, axis] * ops.cast(shape[axis] - side + 1, "float32")) for axis in (0, 1)
    )
    height, width = (ops.arange(shape[axis], dtype="int32") for axis in (0, 1))
    row = height[None, :, None] - ops.cast(top, "int32")[:, None, None]
    column = width[None, None, :] - ops.cast(left, "int32")[:, None, None]
    side = side[:, None, None]
    mask = (row >= 0) & (row < side) & (column >= 0) & (column < side)
    return mask[..., None], row, column


def hills(side: int, order: int = 2) -> np.ndarray:
    """A hill above a hole, (side, side): eta of the paper (arXiv:1912.00049).

    Both halves are of one L2 or L1 norm, as `order` says, and the whole of norm 1.
    """
    halves = side // 2, side - side // 2
    eta = np.concatenate([s * _hill(h, side, order) for s, h in zip((1, -1), halves, strict=True)])
    return eta / np.linalg.norm(eta.ravel(), order)


def hills_table(sides: np.ndarray, shape: tuple[int, int, int], order: int = 2) -> np.ndarray:
    """`hills` of every side, upright and on their side, in the corner of (len(sides), 2, H, W)."""
    table = np.zeros((len(sides), 2, *shape[:2]), "float32")
    for level, side in enumerate(sides):
        eta = hills(side, order)
        table[level, :, :side, :side] = eta, eta.T
    return table


def tiles(shape: tuple[int, int, int], order: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Cuts an image into tiles, 5 x 5 where it is large enough.

    Returns the tile's number (H, W) of every pixel and `hills`, upright and on their side, in all
    of them (2, H, W); 0 in the pixels that are left over at the edges.
    """
    height, width = shape[:2]
    side = max(min(height, width) // 5, 1)
    rows, columns = height // side, width // side
    top, left = (height - rows * side) // 2, (width - columns * side) // 2
    cut = np.s_[top : top + rows * side, left : left + columns * side]
    number, pattern = np.zeros((height, width), "int32"), np.zeros((2, height, width), "float32")
    count = np.arange(rows * columns, dtype="int32").reshape(rows, columns)
    number[cut] = count.repeat(side, axis=0).repeat(side, axis=1)
    for turn, eta in enumerate((hills(side, order), hills(side, order).T)):
        pattern[turn][cut] = np.tile(eta, (rows, columns))
    return number, pattern


def _hill(height, width, order):
    """sum of 1 / (k + 1)^2 from k = distance to the middle (Chebyshev) to its largest; norm 1."""
    distance = np.maximum.outer(
        abs(np.arange(height) - height // 2), abs(np.arange(width) - width // 2)
    )
    terms = 1.0 / (np.arange(max(height, width) // 2 + 1) + 1.0) ** 2
    hill = terms[::-1].cumsum()[::-1][distance]
    return hill / np.linalg.norm(hill.ravel(), order) if hill.size else hill
