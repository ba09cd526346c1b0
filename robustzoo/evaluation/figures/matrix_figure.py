"""Shares in a matrix."""

from collections.abc import Sequence

import numpy as np

from robustzoo.canvas import canvas, png

DARK = 0.55  # share below which the colour map is dark, and text on it white


def matrix_figure(
    shares: np.ndarray, rows: Sequence[str], columns: Sequence[str], ylabel: str, xlabel: str
) -> bytes:
    """PNG of `shares` (R, C) in [0, 1]: colours with the percentage in each cell."""
    height, width = shares.shape
    figure = canvas(2.6 + 1.2 * width, 1.7 + 0.6 * height)
    axes = figure.subplots()
    mesh = axes.imshow(100 * shares, cmap="cividis", vmin=0, vmax=100, aspect="auto")
    for r in range(height):
        for c in range(width):
            colour = "white" if shares[r, c] < DARK else "black"
            text = f"{100 * shares[r, c]:.1f}"
            axes.text(c, r, text, ha="center", va="center", color=colour)
    axes.set_xticks(range(width), columns, rotation=25, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(height), rows)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    figure.colorbar(mesh, ax=axes, label="accuracy in %")
    return png(figure)
