"""The check of defenses that know one norm."""

from robustzoo.threats import Linf


def check_linf(threat):
    """Raises ValueError unless `threat` is a `Linf`."""
    if not isinstance(threat, Linf):
        raise ValueError(f"threat must be Linf. Received: {threat!r}")
