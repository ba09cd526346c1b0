"""Threat models: the set of images an adversary may choose, as a value.

    threat = Linf(8 / 255)
    z = threat.project(z, x)          # nearest allowed image, inside [0, 1]

A threat is written in files as {"norm": "linf", "eps": "8/255"}: `to_config`, `from_config`.
"""

import dataclasses
import math
import numbers
from fractions import Fraction

import keras
import numpy as np
from keras import ops

from robustzoo.closest import closest

PIXELS = (1, 2, 3)
SMALLEST = 2.0**-126  # above 0, of float32 with all its digits
ROUNDING = 1e-6  # of float32 pixels, when it is asked whether an image is within a budget


@dataclasses.dataclass(frozen=True)
class _Ball:
    """What the threats share."""

    eps: float

    def __post_init__(self):
        object.__setattr__(self, "eps", _checked_eps(self.eps))

    def __str__(self):
        return f"{type(self).__name__} {format_eps(self.eps)}"

    def contains(self, z, x):
        """Whether each `z` lies in [0, 1] and within `eps` of `x`, but for rounding; shape (B,)."""
        inside = ops.max(ops.abs(z - 0.5), axis=PIXELS) <= 0.5 + ROUNDING
        return inside & (self.distance(z, x) <= self.eps + ROUNDING)


@dataclasses.dataclass(frozen=True)
class Linf(_Ball):
    """Images within `eps` of `x` in every pixel, inside [0, 1]; eps <= 1."""

    def __post_init__(self):
        super().__post_init__()
        if isinstance(self.eps, numbers.Real) and self.eps > 1:
            closest = f"{self.eps:g}/255" if self.eps <= 255 else "1.0"
            raise ValueError(
                "eps of Linf must lie in 0 .. 1, in pixels of [0, 1], not of 0 .. 255. "
                f"Received: {self.eps}; closest: {closest}"
            )

    def project(self, z, x):
        """Nearest allowed image to `z`; both (B, H, W, C)."""
        return ops.clip(x + ops.clip(z - x, -self.eps, self.eps), 0.0, 1.0)

    def random_start(self, x, seed):
        """Uniform in the ball, clipped to [0, 1]."""
        noise = keras.random.uniform(ops.shape(x), -1.0, 1.0, x.dtype, seed=seed)
        return self.project(x + self.eps * noise, x)

    def steepest(self, gradient):
        """Direction of unit length that raises a linear loss most: sign g."""
        return ops.sign(gradient)

    def distance(self, z, x):
        """max |z - x| of each image, shape (B,)."""
        return ops.max(ops.abs(z - x), axis=PIXELS)


@dataclasses.dataclass(frozen=True)
class L2(_Ball):
    """Images within Euclidean distance `eps` of `x`, inside [0, 1]."""

    def project(self, z, x):
        """`z` moved onto the ball, then into [0, 1]; both (B, H, W, C)."""
        delta = z - x
        shrink = ops.minimum(1.0, self.eps / ops.maximum(_norm(delta), 1e-12))
        return ops.clip(x + delta * shrink, 0.0, 1.0)

    def random_start(self, x, seed):
        """Uniform in the ball: Gaussian direction, radius eps U^(1/d); clipped to [0, 1]."""
        shape = ops.shape(x)
        direction = keras.random.normal(shape, dtype=x.dtype, seed=seed)
        if isinstance(seed, int):
            seed += 1  # else the radius would depend on the direction's first value
        size = math.prod(x.shape[1:])
        radius = keras.random.uniform((shape[0], 1, 1, 1), dtype=x.dtype, seed=seed) ** (1.0 / size)
        return self.project(x + self.eps * radius * self.steepest(direction), x)

    def steepest(self, gradient):
        """Direction of unit length that raises a linear loss most: g / ||g||_2."""
        # A saturated model's gradients are so small that their squares are 0 in float32.
        largest = ops.max(ops.abs(gradient), axis=PIXELS, keepdims=True)
        gradient = gradient / ops.maximum(largest, SMALLEST)
        return gradient / ops.maximum(_norm(gradient), 1.0)

    def distance(self, z, x):
        """||z - x||_2 of each image, shape (B,)."""
        return _norm(z - x)[:, 0, 0, 0]


@dataclasses.dataclass(frozen=True)
class L1(_Ball):
    """Images that differ from `x` by at most `eps` in sum over all pixels, inside [0, 1]."""

    def project(self, z, x):
        """Nearest image to `z` in the ball and [0, 1] at once; both (B, H, W, C).

        It is x + sign(d) clip(|d| - t, 0, room) for d = z - x, where room is the way to the edge of
        [0, 1] and t >= 0 the least that meets the budget (Croce & Hein, 2021, arXiv:2103.01208).
        """
        delta, size = z - x, ops.abs(z - x)
        room = ops.where(delta > 0, 1.0 - x, x)
        kept = ops.clip(size - _threshold(size, room, self.eps), 0.0, room)
        # x + d rounds every pixel, and thousands of roundings may add up to more than eps.
        allowed = (1.0 - 1e-6) * self.eps / ops.maximum(_total(kept), 1e-12)
        return ops.clip(x + ops.sign(delta) * kept * ops.minimum(1.0, allowed), 0.0, 1.0)

    def random_start(self, x, seed):
        """Uniform in the ball: Laplace direction, radius eps U^(1/d); put into [0, 1]."""
        shape = ops.shape(x)
        noise = keras.random.uniform(shape, -1.0, 1.0, x.dtype, seed=seed)
        if isinstance(seed, int):
            seed += 1  # else the radius would depend on the direction's first value
        laplace = -ops.sign(noise) * ops.log(ops.maximum(ops.abs(noise), 1e-12))
        radius = keras.random.uniform((shape[0], 1, 1, 1), dtype=x.dtype, seed=seed)
        radius = self.eps * radius ** (1.0 / math.prod(x.shape[1:]))
        return self.project(x + radius * laplace / ops.maximum(_total(laplace), 1e-12), x)

    def steepest(self, gradient):
        """Direction of unit length that raises a linear loss most: the largest |g|, its sign."""
        size = ops.abs(gradient)
        largest = ops.equal(size, ops.max(size, axis=PIXELS, keepdims=True))
        direction = ops.where(largest, ops.sign(gradient), 0.0)
        return direction / ops.maximum(_total(direction), 1.0)

    def distance(self, z, x):
        """sum |z - x| of each image, shape (B,)."""
        return _total(z - x)[:, 0, 0, 0]


NORMS = {"linf": Linf, "l2": L2, "l1": L1}


def from_config(config: dict) -> Linf | L2 | L1:
    """Reads {"norm": "linf" | "l2" | "l1", "eps": "8/255" or a number}."""
    norm = config.get("norm")
    if norm not in NORMS:
        close = closest(str(norm).lower(), NORMS)
        raise ValueError(
            f"threat norm must be one of {sorted(NORMS)}. Received: {norm!r}; closest: {close!r}"
        )
    return NORMS[norm](parse_eps(config.get("eps")))


def to_config(threat: Linf | L2 | L1) -> dict:
    """Writes a threat with its eps as an exact fraction of 255 where it is one."""
    return {"norm": type(threat).__name__.lower(), "eps": _exact(threat.eps)}


def parse_eps(text: str | float) -> float:
    """Reads "8/255", "0.3" or a number."""
    try:
        value = float(Fraction(text)) if isinstance(text, str) else float(text)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        message = f'eps must be a number or a fraction such as "8/255". Received: {text!r}'
        raise ValueError(message) from None
    return _checked_eps(value)


def format_eps(eps: float) -> str:
    """Writes 8 / 255 as "8/255", and anything else as the shortest decimal."""
    in_255 = float(eps) * 255
    if math.isclose(in_255, round(in_255, 2), rel_tol=1e-9) and len(repr(float(eps))) > 6:
        return f"{round(in_255, 2):g}/255"
    return repr(float(eps))


def _exact(eps: float) -> str:
    """As `format_eps` where that is a fraction of integers, else all digits, without exponent."""
    text = format_eps(eps)
    if "/" in text and "." not in text:
        return text
    return np.format_float_positional(float(eps), trim="0")


def _checked_eps(eps):
    """`eps`, as Python's own number where it is one of NumPy; tensors are not looked at."""
    if isinstance(eps, np.generic):
        eps = eps.item()
    wrong = isinstance(eps, numbers.Real) and not 0 <= eps < math.inf
    if wrong or isinstance(eps, str) or eps is None:
        hint = "; parse_eps reads text" if isinstance(eps, str) else ""
        raise ValueError(
            f"eps must be a finite number >= 0, in pixels of [0, 1]. Received: {eps!r}{hint}"
        )
    return eps


def _norm(x):
    return ops.sqrt(ops.sum(ops.square(x), axis=PIXELS, keepdims=True))


def _total(x):
    return ops.sum(ops.abs(x), axis=PIXELS, keepdims=True)


def _threshold(size, room, eps):
    """Least t >= 0 with sum clip(size - t, 0, room) <= eps, shape (B, 1, 1, 1).

    Bisected until no bend of the sum is likely in the bracket; there it is a straight line.
    """

    def total(t):
        return _total(ops.clip(size - t, 0.0, room))

    def halve(_, bracket):
        low, high = bracket
        middle = 0.5 * (low + high)
        over = total(middle) > eps
        return ops.where(over, middle, low), ops.where(over, high, middle)

    high = ops.max(size, axis=PIXELS, keepdims=True)
    low, high = ops.fori_loop(0, 30, halve, (ops.zeros_like(high), high))
    excess, drop = ops.maximum(total(low) - eps, 0.0), total(low) - total(high)
    return low + (high - low) * excess / ops.maximum(drop, 1e-12)
