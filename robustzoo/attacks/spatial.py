"""Rotation and translation."""

import dataclasses
import itertools
import math
from collections.abc import Callable

import numpy as np
from keras import ops

from robustzoo.attacks._arguments import check_at_least, check_loss, check_positive
from robustzoo.attacks._counter import random_keys, uniform
from robustzoo.attacks.base import Attack, nothing_yet, tried
from robustzoo.losses import cross_entropy


@dataclasses.dataclass(frozen=True)
class Spatial(Attack):
    """The worst of many rotations and translations (Engstrom et al., 2019, arXiv:1712.02779).

    The worst is one that fools the model, of those the one of the highest loss. It lies in no Lp
    ball.

    Args:
        rotation: largest angle either way, in degrees.
        translation: largest shift either way, in pixels.
        grid: numbers of vertical shifts, horizontal shifts and angles; all combinations are tried.
        tries: if given, so many random transformations per image replace the grid.
        loss: (y, logits) -> (B,); the higher the worse, the lower if `targeted`.
        targeted: `y` holds the classes to reach rather than the true ones.
        draws: outputs averaged per try, of a random model.
    """

    rotation: float = 30.0
    translation: float = 3.0
    grid: tuple[int, int, int] = (5, 5, 31)
    tries: int | None = None
    loss: Callable = cross_entropy
    targeted: bool = False
    draws: int = 1

    threat = None
    gradients = 0

    def __post_init__(self):
        check_loss(self)
        check_at_least(self, 0, "rotation", "translation")
        grid = self.grid  # a list would not be hashable, which compiled attacks must be
        three = isinstance(grid, tuple) and len(grid) == 3
        if not (three and all(isinstance(n, int) and n > 0 for n in grid)):
            raise ValueError(f"grid must be a tuple of three positive integers. Received: {grid!r}")
        if self.tries is not None and not (isinstance(self.tries, int) and self.tries > 0):
            raise ValueError(f"tries must be a positive integer. Received: tries={self.tries!r}")
        check_positive(self, ("draws",))

    @property
    def queries(self):
        return self.draws

    @property
    def steps(self):
        return self.tries or math.prod(self.grid)

    def begin(self, model, x, y, seed, run):
        return nothing_yet(x, y) | {"key": random_keys(ops.shape(y)[0], seed)}

    def step(self, model, state, x, y, noise=None):
        z = transform(x, self.parameters(state["key"], state["steps"]))
        new = tried(self, model, state, z, y, noise)
        steps = state["steps"] + 1
        return new | {"steps": steps, "done": steps >= self.steps}

    def parameters(self, key, counter):
        """Shift down, shift right, in pixels, and angle, in degrees: (B, 3) of try `counter`."""
        most = self.translation, self.translation, self.rotation
        if self.tries:
            return ops.convert_to_tensor(most, "float32") * (
                2.0 * uniform(key, counter, (3,)) - 1.0
            )
        values = (_spread(m, n) for m, n in zip(most, self.grid, strict=True))
        table = ops.convert_to_tensor(list(itertools.product(*values)), "float32")
        return ops.take(table, ops.minimum(counter, self.steps - 1), axis=0)


def transform(x, parameters):
    """Rotates about the centre, then shifts; bilinear, zeros from outside the image.

    Args:
        x: images (B, H, W, C).
        parameters: (B, 3), pixels down, pixels right and degrees counterclockwise.
    """
    height, width = x.shape[1:3]
    down, right, angle = (parameters[:, i, None, None] for i in range(3))
    cosine, sine = ops.cos(angle * (math.pi / 180.0)), ops.sin(angle * (math.pi / 180.0))
    middle = (height - 1) / 2.0, (width - 1) / 2.0
    i = ops.arange(height, dtype="float32")[None, :, None] - middle[0] - down
    j = ops.arange(width, dtype="float32")[None, None, :] - middle[1] - right
    return _bilinear(x, cosine * i + sine * j + middle[0], cosine * j - sine * i + middle[1])


def _bilinear(x, rows, columns):
    """`x` (B, H, W, C) at real positions (B, H, W); 0 outside."""
    height, width, channels = x.shape[1:]
    flat = ops.reshape(x, (-1, height * width, channels))
    top, left = ops.floor(rows), ops.floor(columns)
    total = 0.0
    for di, dj in itertools.product((0, 1), (0, 1)):
        i, j = top + di, left + dj
        weight = (1.0 - ops.abs(rows - i)) * (1.0 - ops.abs(columns - j))
        inside = (i >= 0) & (i < height) & (j >= 0) & (j < width)
        at = ops.clip(i, 0, height - 1) * width + ops.clip(j, 0, width - 1)
        at = ops.reshape(ops.cast(at, "int32"), (-1, height * width, 1))
        pixels = ops.reshape(ops.take_along_axis(flat, at, axis=1), (-1, *x.shape[1:]))
        total = total + ops.where(inside, weight, 0.0)[..., None] * pixels
    return ops.clip(total, 0.0, 1.0)  # rounding may leave [0, 1]


def _spread(most, count):
    return np.linspace(-most, most, count) if count > 1 else np.zeros(1)
