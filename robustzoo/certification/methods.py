"""The ways to bound the margins, by name."""

import dataclasses
from collections.abc import Sequence

from robustzoo.closest import closest


@dataclasses.dataclass(frozen=True)
class Method:
    """Attributes:
    hidden: slope of the linear bounds of hidden units; None for intervals alone.
    slope: of the linear bounds of the margins; None for intervals, "optimised" for each its own.
    program: "lp" or "milp" where a solver gets the margins, else None.
    """

    hidden: str | None
    slope: str | None
    program: str | None = None


METHODS = {
    "ibp": Method(None, None),  # Gowal et al., 2018, arXiv:1810.12715
    "crown-ibp": Method(None, "adaptive"),  # Zhang et al., 2020, arXiv:1906.06316
    "crown-ibp-zero": Method(None, "zero"),  # never below "ibp"
    # Wong & Kolter, 2018, arXiv:1711.00851; Fast-Lin. Hidden bounds are intersected with intervals,
    # so that it can certify more than the authors' code, and at times less: lines through tighter
    # bounds are not always the better ones.
    "wong-kolter": Method("same", "same"),
    "crown": Method("adaptive", "adaptive"),  # Zhang et al., 2018, arXiv:1811.00866
    "crown-zero": Method("zero", "zero"),
    "alpha-crown": Method("adaptive", "optimised"),  # Xu et al., 2021, arXiv:2011.13824
    "lp": Method("adaptive", None, "lp"),  # the best that linear bounds of ReLUs can give
    # exact up to the solver; Tjeng et al., 2019, arXiv:1711.07356
    "milp": Method("adaptive", None, "milp"),
}


def chosen(methods: str | Sequence[str]) -> tuple[str, ...]:
    """`methods` as a tuple of known names; ValueError otherwise."""
    names = (methods,) if isinstance(methods, str) else tuple(methods)
    for name in names:
        if name not in METHODS:
            close = closest(name, METHODS)
            raise ValueError(
                f"method must be some of {', '.join(METHODS)}. Received: {name!r:.100}; "
                f"closest: {close!r}"
            )
    if not names:
        raise ValueError(f"method must be some of {', '.join(METHODS)}. Received: none")
    return names
