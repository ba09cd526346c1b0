"""Whether reports and certificates are about the same."""

from robustzoo.threats import L1, L2, Linf, from_config, to_config


def same(one, other) -> bool:
    """one == other; threats as files keep them, without what arithmetic left in their eps."""
    return _kept(one) == _kept(other)


def _kept(value):
    return from_config(to_config(value)) if isinstance(value, Linf | L2 | L1) else value
