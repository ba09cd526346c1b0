"""The names of the released models."""

import fnmatch

from robustzoo.closest import closest
from robustzoo.zoo.registry import released


def list_models(
    pattern: str = "*",
    defense: str | None = None,
    dataset: str | None = None,
    norm: str | None = None,
    architecture: str | None = None,
    certified: bool = False,
) -> list[str]:
    """Returns, sorted, the names that match; reads one file and asks nobody.

    Args:
        pattern: shell wildcards, e.g. "trades-*".
        defense, dataset, norm, architecture: facts that a model must have; None takes any.
        certified: only models with a certificate.

    Raises ValueError, with the valid ones, for a fact that no released model has.
    """
    entries = released()
    wanted = {"defense": defense, "dataset": dataset, "norm": norm, "architecture": architecture}
    wanted = {key: value for key, value in wanted.items() if value is not None}
    for key, value in wanted.items():
        known = sorted({entry[key] for entry in entries.values()} - {None})
        if value not in known:
            close = closest(value, known)
            raise ValueError(
                f"{key} must be one of {', '.join(known)}. Received: {value!r}; closest: {close}"
            )
    return [
        name
        for name, entry in sorted(entries.items())
        if fnmatch.fnmatchcase(name, pattern)
        and all(entry[key] == value for key, value in wanted.items())
        and (entry["certified"] or not certified)
    ]
