"""Features in the plane, by class."""

from collections.abc import Mapping

import numpy as np

from robustzoo.canvas import canvas, png


def embedding_figure(
    panels: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]], names: tuple[str, ...]
) -> bytes:
    """PNG of points in the plane: a panel each, a colour for each class, crosses where adversarial.

    Args:
        panels: points (N, 2), classes (N,) and whether adversarial, bool (N,), by title.
        names: of the classes, at most 10.
    """
    if len(names) > 10:
        raise ValueError(f"the picture has 10 colours. Received: {len(names)} classes")
    figure = canvas(4.6 * len(panels) + 1.2, 4.6)
    row = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, (title, (points, classes, adversarial)) in zip(row, panels.items(), strict=True):
        for c in range(len(names)):
            own = classes == c
            style = {"color": f"C{c}", "linewidths": 0.7}
            axes.scatter(*points[own & ~adversarial].T, s=7, marker="o", alpha=0.45, **style)
            axes.scatter(*points[own & adversarial].T, s=20, marker="x", **style)
        axes.set(title=title, xticks=[], yticks=[])
    marks = [row[0].scatter([], [], s=20, color=f"C{c}") for c in range(len(names))]
    marks += [row[0].scatter([], [], s=20, color="0.3", marker=m) for m in "ox"]
    labels = [*names, "clean", "adversarial"]
    figure.legend(marks, labels, loc="outside right upper", frameon=False, fontsize=9)
    return png(figure)
