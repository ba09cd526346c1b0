"""Accuracy against something."""

from collections.abc import Mapping

import numpy as np

from robustzoo.canvas import COLOURS, DASHES, MARKERS, canvas, png, turn

MANY = 25  # points from which on a curve gets no markers


def accuracy_figure(
    curves: Mapping[str, Mapping[str, tuple[np.ndarray, np.ndarray]]],
    xlabel: str,
    mark: tuple[float, str] | None = None,
) -> bytes:
    """PNG of accuracy curves: a colour for each model, a dash and marker for each attack.

    Args:
        curves: (x, shares), both (K,), by model and attack.
        xlabel: what x is.
        mark: an x to be marked by a vertical line, and its name.
    """
    figure = canvas(7.5, 4.5)
    axes = figure.subplots()
    attacks = list(dict.fromkeys(attack for model in curves.values() for attack in model))
    for i, (model, by_attack) in enumerate(curves.items()):
        for attack, (x, shares) in by_attack.items():
            k = attacks.index(attack)
            axes.plot(
                x,
                100 * np.asarray(shares),
                color=turn(COLOURS, i),
                linestyle=turn(DASHES, k),
                marker=turn(MARKERS, k) if len(x) < MANY else None,
                markersize=4.5,
                label=f"{model}, {attack}",
            )
    if mark:
        axes.axvline(mark[0], color="0.55", linewidth=1, zorder=0)
        axes.annotate(
            mark[1],
            (mark[0], 1.01),
            xycoords=("data", "axes fraction"),
            ha="center",
            va="bottom",
            color="0.35",
        )
    axes.set(xlabel=xlabel, ylabel="accuracy in %", ylim=(-2, 102))
    axes.grid(color="0.9")
    figure.legend(loc="outside right upper", frameon=False, fontsize=9)
    return png(figure)
