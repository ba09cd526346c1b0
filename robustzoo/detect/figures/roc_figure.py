"""ROC curves."""

from collections.abc import Mapping

from robustzoo.canvas import COLOURS, DASHES, canvas, png
from robustzoo.detect.roc import ROC


def roc_figure(curves: Mapping[str, ROC]) -> bytes:
    """PNG of ROC curves by name, with the area under each; the dashed diagonal is chance."""
    if not curves:
        raise ValueError("curves must not be empty")
    figure = canvas(6.8, 4.2)
    axes = figure.subplots()
    axes.plot([0, 100], [0, 100], color="0.7", linestyle="--", linewidth=1)
    for i, (name, curve) in enumerate(curves.items()):
        _, false_positives, true_positives = curve.points()
        axes.plot(
            100 * false_positives,
            100 * true_positives,
            color=COLOURS[i % len(COLOURS)],
            linestyle=DASHES[i // len(COLOURS) % len(DASHES)],
            label=f"{name}, AUC {100 * curve.auc:.1f}",
        )
    axes.set(xlabel="clean images rejected, in %", ylabel="adversarial images rejected, in %")
    axes.set(xlim=(-2, 102), ylim=(-2, 102))
    axes.set_aspect("equal")
    axes.grid(color="0.9")
    figure.legend(loc="outside right upper", frameon=False, fontsize=9)
    return png(figure)
