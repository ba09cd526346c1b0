"""How APGD steps in Linf and L2 (Croce & Hein, 2020, arXiv:2003.01690)."""

from keras import ops

from robustzoo.attacks.base import where


def checkpoints(steps: int) -> list[tuple[int, int]]:
    """(step, steps since the one before): 22% of all, then 3% less each time, never under 6%."""
    found, at = [], 0
    window, least, less = (max(percent * steps // 100, 1) for percent in (22, 6, 3))
    while at + window <= steps:
        at += window
        found.append((at, window))
        window = max(window - less, least)
    return found


def first(x, eps: float) -> dict:
    """The rule's part of the first state."""
    each = ops.zeros_like(x[:, 0, 0, 0])
    return {
        "eta": each + 2.0 * eps,
        "previous": x,
        "last": each + float("inf"),
        "rises": ops.cast(each, "int32"),
        "halved": ops.ones_like(each, "bool"),
        "checked": each,
    }


def check(state, losses, window, x, eps: float):
    """Returns who restarts from the peak, and what changes in the state.

    At a checkpoint (window > 0) the step is halved where the loss rose in at most 3/4 of the steps
    since the last one, or where the step was not halved there and the peak is no higher since.
    """
    rises = state["rises"] + ops.cast(losses > state["last"], "int32")
    peak, due = state["peak_loss"], window > 0
    stuck = ops.logical_not(state["halved"]) & (state["checked"] >= peak)
    halve = due & ((4 * rises <= 3 * window) | stuck)
    settled = {"halved": halve, "checked": peak, "rises": ops.zeros_like(rises)}
    changes = where(due, settled, state | {"rises": rises})
    eta = ops.where(halve, 0.5 * state["eta"], state["eta"])
    return halve, changes | {"eta": eta, "last": losses}


def move(state, z, slope, x, threat) -> dict:
    """P(z + .75 (P(z + eta s(slope)) - z) + .25 (z - previous)); the first time P(z + eta s)."""
    eta, fresh = (value[:, None, None, None] for value in (state["eta"], state["steps"] == 0))
    pushed = threat.project(z + eta * threat.steepest(slope), x)
    mixed = z + 0.75 * (pushed - z) + 0.25 * (z - state["previous"])
    return {"z": threat.project(ops.where(fresh, pushed, mixed), x), "previous": z}
