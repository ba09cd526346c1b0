"""The loss around an image."""

from collections.abc import Mapping

import numpy as np

from robustzoo.canvas import canvas, png


def surface_figure(
    surfaces: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]], label: int
) -> bytes:
    """PNG of loss surfaces side by side, a panel each; a dashed line where the class changes.

    Args:
        surfaces: (steps, losses, classes) of `loss_surface`, by model.
        label: the true class.
    """
    columns = min(3, len(surfaces))
    rows = -(-len(surfaces) // columns)
    figure = canvas(4.2 * columns, 3.6 * rows)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in panels[len(surfaces) :]:
        axes.set_axis_off()
    for axes, (model, (steps, losses, classes)) in zip(panels, surfaces.items(), strict=False):
        # Transposed, because the first axis of an array is drawn upwards.
        mesh = axes.pcolormesh(steps, steps, losses.T, shading="nearest", cmap="viridis")
        figure.colorbar(mesh, ax=axes, label="loss")
        wrong = (classes != label).T
        if wrong.any() and not wrong.all():  # else there is no line
            axes.contour(steps, steps, wrong, [0.5], colors="white", linestyles="dashed")
        axes.plot(0, 0, marker="x", color="white")
        axes.set(title=model, xlabel="along the gradient, in eps", ylabel="at random, in eps")
        axes.set_aspect("equal")
    return png(figure)
