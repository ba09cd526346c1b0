"""Distances to the nearest adversarial example."""

from collections.abc import Mapping, Sequence

import numpy as np

from robustzoo.canvas import COLOURS, canvas, png, turn

BINS = 20


def histogram_figure(
    distances: Mapping[str, Mapping[str, np.ndarray]], xlabels: Sequence[str]
) -> bytes:
    """PNG of histograms: a panel for each attack, a colour for each model, a line at its median.

    Args:
        distances: (N,) as in `Result`, by attack and model; those that are 0 or not finite are
            left out.
        xlabels: of each panel.
    """
    figure = canvas(5.0 * len(distances), 3.8)
    panels = figure.subplots(1, len(distances), squeeze=False)[0]
    for axes, xlabel, (attack, by_model) in zip(panels, xlabels, distances.items(), strict=True):
        kept = {name: d[np.isfinite(d) & (d > 0)] for name, d in by_model.items()}
        most = max((float(d.max()) for d in kept.values() if len(d)), default=1.0)
        edges = np.linspace(0.0, most, BINS + 1)
        for i, (model, found) in enumerate(kept.items()):
            colour = turn(COLOURS, i)
            label = f"{model} ({len(found)})"
            axes.hist(found, edges, histtype="stepfilled", color=colour, alpha=0.25)
            axes.hist(found, edges, histtype="step", color=colour, linewidth=1.5, label=label)
            if len(found):
                axes.axvline(np.median(found), color=colour, linestyle="--", linewidth=1.2)
        axes.set(title=attack, xlabel=xlabel, ylabel="examples")
        axes.yaxis.get_major_locator().set_params(integer=True)
        axes.set_ylim(top=axes.get_ylim()[1] * (1.1 + 0.07 * len(kept)))  # the legend's room
        axes.legend(frameon=False, fontsize=9, loc="upper right")
    return png(figure)
