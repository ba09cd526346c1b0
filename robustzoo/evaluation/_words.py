"""Numbers as a report says them."""


def percent(share: float) -> str:
    """ "93.0" of 0.93."""
    return f"{100 * share:.1f}"


def counted(things, noun: str) -> str:
    """ "2 models"."""
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"
