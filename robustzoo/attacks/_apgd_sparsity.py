"""How APGD steps in L1 (Croce & Hein, 2021, arXiv:2103.01208)."""

import math

from keras import ops

from robustzoo.attacks._l0 import L0
from robustzoo.attacks.base import where


def checkpoints(steps: int) -> list[tuple[int, int]]:
    """(step, steps since the one before): every 4% of all steps."""
    window = max(4 * steps // 100, 1)
    return [(at, window) for at in range(window, steps + 1, window)]


def first(x, eps: float) -> dict:
    """The rule's part of the first state: a fifth of all pixels moves."""
    size = math.prod(x.shape[1:])
    each = ops.zeros_like(x[:, 0, 0, 0])
    whole = ops.cast(each, "int32")
    return {"eta": each + eps, "moving": whole + (size + 4) // 5, "support": whole + size}


def anew(z, x, eps) -> dict:
    """The same of a run that begins at `z`, with one eps or each example's own (B,)."""
    support, moving = _counted(z, x)
    return {"eta": ops.zeros_like(x[:, 0, 0, 0]) + eps, "moving": moving, "support": support}


def check(state, losses, window, x, eps):
    """Returns who restarts from the peak, and what changes in the state.

    At a checkpoint (window > 0), 2/3 as many pixels will move as differ from `x` at the peak. If
    these are under 95% of those at the last checkpoint, the step is eps again and the ascent
    starts from the peak; else the step is divided by 1.5, down to eps / 10.
    """
    support, moving = _counted(state["peak"], x)
    fewer = 20 * support < 19 * state["support"]
    eta = ops.where(fewer, eps, ops.maximum(state["eta"] / 1.5, eps / 10))
    settled = {"eta": eta, "moving": moving, "support": support}
    return (window > 0) & fewer, where(window > 0, settled, state)


def _counted(z, x):
    """How many values of `z` differ from `x`, and how many will move, both (B,)."""
    support = ops.cast(L0(0.0).distance(z, x), "int32")
    return support, ops.maximum((2 * support + 2) // 3, 1)


def move(state, z, slope, x, threat) -> dict:
    """P(z + eta s / ||s||_1), s the sign of the `moving` largest |slope| and 0 elsewhere."""
    size = math.prod(x.shape[1:])
    ordered = ops.sort(ops.reshape(ops.abs(slope), (-1, size)), axis=-1)
    least = ops.take_along_axis(ordered, size - state["moving"][:, None], axis=-1)
    chosen = ops.abs(slope) >= least[:, :, None, None]
    signs = ops.where(chosen, ops.sign(slope), 0.0)
    count = ops.sum(ops.abs(signs), axis=(1, 2, 3), keepdims=True)
    stride = state["eta"][:, None, None, None] / ops.maximum(count, 1.0)
    return {"z": threat.project(z + stride * signs, x)}
