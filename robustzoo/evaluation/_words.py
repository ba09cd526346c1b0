"""Numbers and threats as a report says them."""

from robustzoo.threats import L1, L2, Linf, format_eps


def percent(share: float) -> str:
    """ "93.0" of 0.93."""
    return f"{100 * share:.1f}"


def spelled(threat: Linf | L2 | L1) -> str:
    """ "Linf 8/255"."""
    return f"{type(threat).__name__} {format_eps(threat.eps)}"


def counted(things, noun: str) -> str:
    """ "2 models"."""
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"
