"""Losses for an adversary who knows the defense."""

from collections.abc import Callable

from robustzoo.losses import (
    cross_entropy,
    dlr,
    large_margin_gm,
    margin,
    mmc,
    reverse_cross_entropy,
)

LOSSES = {
    loss.__name__: loss
    for loss in (cross_entropy, margin, dlr, mmc, reverse_cross_entropy, large_margin_gm)
}
OWN = {  # of the defenses that train on something else than cross-entropy
    "mmc": mmc,
    "mmc_rand": mmc,
    "at_mmc": mmc,
    "large_margin_gm": large_margin_gm,
    "rce": reverse_cross_entropy,
}


def attack_loss(name: str, defense: str) -> Callable:
    """The loss (y, logits) -> (B,) that `name` is short for.

    Args:
        name: of one of `LOSSES`; "own" is what `defense`, as a config.json names it, trains on.
    """
    if name != "own":
        return LOSSES[name]
    if defense not in OWN:
        raise ValueError(
            f"{defense} has no loss of its own to attack by: it trains on the cross-entropy, or on "
            f"more than logits. Those that have: {', '.join(OWN)}. Else give another of "
            f"{', '.join(LOSSES)}"
        )
    return OWN[defense]
