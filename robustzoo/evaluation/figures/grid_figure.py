"""Adversarial examples side by side."""

from collections.abc import Sequence

import numpy as np

from robustzoo.canvas import COLOURS, canvas, png


def grid_figure(
    images: np.ndarray,
    classes: np.ndarray,
    labels: np.ndarray,
    rows: Sequence[str],
    names: Sequence[str],
) -> bytes:
    """PNG of images (R, N, H, W, C): a row per attack, above each image the class that is seen.

    Args:
        classes: (R, N), what the model sees; bold and red where it is not the label.
        labels: true classes (N,).
        rows: R names of the attacks.
        names: of the classes.
    """
    height, width = images.shape[:2]
    figure = canvas(1.15 * width + 1.2, 1.4 * height)
    panels = figure.subplots(height, width, squeeze=False)
    for r in range(height):
        for n in range(width):
            axes, image = panels[r, n], images[r, n]
            image = image[..., 0] if image.shape[-1] == 1 else image
            axes.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            wrong = classes[r, n] != labels[n]
            style = {"color": COLOURS[1], "fontweight": "bold"} if wrong else {"color": "0.2"}
            axes.set_title(names[classes[r, n]], fontsize=9, pad=3, **style)
            axes.set(xticks=[], yticks=[])
        panels[r, 0].set_ylabel(rows[r], rotation=0, ha="right", va="center", fontsize=10)
    return png(figure)
