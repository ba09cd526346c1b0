"""Pictures of measurements: arrays in, PNG files as bytes out; matplotlib is needed."""

from robustzoo.evaluation.figures.accuracy_figure import accuracy_figure
from robustzoo.evaluation.figures.grid_figure import grid_figure
from robustzoo.evaluation.figures.histogram_figure import histogram_figure
from robustzoo.evaluation.figures.matrix_figure import matrix_figure
from robustzoo.evaluation.figures.radius_figure import radius_figure
from robustzoo.evaluation.figures.surface_figure import surface_figure

__all__ = [
    "accuracy_figure",
    "grid_figure",
    "histogram_figure",
    "matrix_figure",
    "radius_figure",
    "surface_figure",
]
