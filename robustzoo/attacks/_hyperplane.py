"""Shortest ways to a hyperplane inside the box [0, 1], exact."""

from keras import ops

from robustzoo.threats import L1, L2, Linf


def shortest(threat: Linf | L2 | L1, z, w, rise):
    """argmin ||d|| with <w, d> = rise and 0 <= z + d <= 1, in the norm of `threat`.

    Where the box does not reach the hyperplane, d goes to the corner nearest to it. `z` and `w` are
    images (B, H, W, C), `rise` is (B,); so is the answer shaped like `z`.

    A pixel moves by t >= 0 along sign(rise w), has room r to the box and gains |w| t. Least of all
    moves, in Linf, t = min(r, level); in L2, t = min(r, level |w|); in L1 those of largest |w| move
    first, by all of r (Croce & Hein, 2020, arXiv:1907.02044).
    """
    flat = (-1, z.shape[1] * z.shape[2] * z.shape[3])
    v = ops.reshape(w, flat) * ops.where(rise < 0, -1.0, 1.0)[:, None]
    largest = ops.max(ops.abs(v), axis=1, keepdims=True)
    largest = ops.where(largest > 0, largest, 1.0)  # else squares would leave float32
    gain, need = ops.abs(v) / largest, ops.abs(rise)[:, None] / largest
    position = ops.reshape(z, flat)
    room = ops.clip(ops.where(v > 0, 1.0 - position, position), 0.0, 1.0)
    if isinstance(threat, L1):
        way = _greedy(gain, room, need)
    else:
        way = _levelled(gain, gain if isinstance(threat, L2) else ops.ones_like(gain), room, need)
    return ops.reshape(ops.sign(v) * way, ops.shape(z))


def _levelled(gain, speed, room, need):
    """t = min(room, level speed) with sum gain t = need; all (B, N), but need (B, 1).

    The sum is concave in the level, so Newton's steps from 0 rise to the solution and end there,
    once no further pixel is filled: a handful of sums instead of a sort.
    """
    bend = room / ops.maximum(speed, 1e-30)  # the level from which on t = room

    def reached(filled):
        rate = _sum(ops.where(filled, 0.0, gain * speed))
        left = ops.relu(need - _sum(ops.where(filled, gain * room, 0.0)))
        return left / ops.where(rate > 0, rate, 1.0)

    def grown(filled, _):
        larger = filled | (bend <= reached(filled))
        return larger, ops.any(larger != filled)

    start = (ops.zeros_like(bend, "bool"), ops.convert_to_tensor(True))
    filled, _ = ops.while_loop(lambda _, moving: moving, grown, start)
    return ops.where(filled, room, ops.minimum(room, reached(filled) * speed))


def _greedy(gain, room, need):
    """Of least sum: t = room where gain is largest, in part where it gets enough, else 0."""
    order = ops.argsort(-gain, axis=1)
    reached = ops.cumsum(ops.take_along_axis(gain * room, order, axis=1), axis=1)
    enough = ops.where(reached >= need, ops.take_along_axis(gain, order, axis=1), -1.0)
    edge = ops.max(enough, axis=1, keepdims=True)
    first, last = gain > edge, ops.equal(gain, edge)
    left = ops.relu(need - _sum(ops.where(first, gain * room, 0.0)))
    rest = _sum(ops.where(last, gain * room, 0.0))
    share = ops.minimum(left / ops.where(rest > 0, rest, 1.0), 1.0)
    return ops.where(first, room, ops.where(last, share * room, 0.0))


def _sum(v):
    return ops.sum(v, axis=1, keepdims=True)
