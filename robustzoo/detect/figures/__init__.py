"""Pictures of detectors: arrays in, PNG files as bytes out; matplotlib is needed."""

from robustzoo.detect.figures.embedding_figure import embedding_figure
from robustzoo.detect.figures.roc_figure import roc_figure

__all__ = ["embedding_figure", "roc_figure"]
