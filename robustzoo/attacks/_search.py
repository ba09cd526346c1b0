"""What attacks share that minimise size(z - x) + c f(z) and search for the best c.

Every example has its own c, so one may be in its fifth search while another is in its first.
"""

from keras import ops

from robustzoo.attacks._model import clean_logits
from robustzoo.attacks.base import fooled, where
from robustzoo.losses import margin

WAVE = 40  # iterations
LARGEST = 1e10  # c stays finite however often nothing was found


def lead(y, logits, targeted: bool):
    """By how much the outcome that the attacker wants is ahead in `logits` (B, L), shape (B,)."""
    return -margin(y, logits) if targeted else margin(y, logits)


def hits(y, logits, targeted: bool, confidence: float = 0.0):
    """Whether the model is fooled, with a lead of at least `confidence`; shape (B,)."""
    hit = fooled(logits, y, targeted)
    return hit & (lead(y, logits, targeted) >= confidence) if confidence else hit


def opening(attack, model, x, y, seed):
    """The first state: the clean image, which is the answer where the model errs already."""
    hit = hits(
        y, clean_logits(attack, model, x, seed), attack.targeted, getattr(attack, "confidence", 0.0)
    )
    zeros, none = ops.zeros_like(y, "float32"), ops.zeros_like(y, "int32")
    state = {"best": x, "success": hit, "value": zeros, "done": hit}
    bounds = {"c": zeros + attack.initial_c, "lower": zeros, "upper": zeros + float("inf")}
    no = ops.zeros_like(hit)
    return state | bounds | {"search": none, "iteration": none, "found": no, "ended": no}


def progress(attack, state, objective):
    """Notes the lowest objective (B,) of this search; returns that, and whether the search ends.

    It ends after all iterations, or early when a tenth of them lowered it by less than 0.01%. Those
    are at least 40: momentum comes in waves, and between two of them nothing falls.
    """
    lowest = ops.minimum(state["lowest"], objective)
    due = ops.equal(state["iteration"] % max(attack.iterations // 10, WAVE), 0)
    ended = state["iteration"] + 1 >= attack.iterations
    if attack.abort_early:
        ended = ended | (due & (lowest > 0.9999 * state["checked"]))
    return {"lowest": lowest, "checked": ops.where(due, lowest, state["checked"])}, ended


def restarted(state, fresh):
    """Where the last step ended a search, the beginning of the next one from `fresh`.

    The step before left `ended` in the state: XLA may compute a comparison of sums twice and find
    two answers, and a search whose parts disagree on whether it ended can go on for ever.
    """
    c, lower, upper = state["c"], state["lower"], state["upper"]
    lower = ops.where(state["found"], lower, ops.maximum(lower, c))
    upper = ops.where(state["found"], ops.minimum(upper, c), upper)
    larger = ops.minimum(10.0 * c, LARGEST)
    restart = {
        "c": ops.where(upper < float("inf"), (lower + upper) / 2.0, larger),
        "lower": lower,
        "upper": upper,
        "search": state["search"] + 1,
        "iteration": ops.zeros_like(state["iteration"]),
        "found": ops.zeros_like(state["found"]),
    }
    return where(state["ended"], state | restart | fresh, state)


def closing(attack, state, ended):
    """What every step leaves for the next one."""
    done = state["done"] | (ended & (state["search"] + 1 >= attack.searches))
    return state | {"iteration": state["iteration"] + 1, "ended": ended, "done": done}
