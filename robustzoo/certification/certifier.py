"""Margins of a batch by any of the methods."""

import numpy as np
from keras import ops

from robustzoo.certification.arrays import FLOAT32, FLOAT64
from robustzoo.certification.bounds import MEMORY, Bounds
from robustzoo.certification.graph import Graph
from robustzoo.certification.intervals import intersect
from robustzoo.certification.linear import needed_boxes
from robustzoo.certification.methods import METHODS
from robustzoo.certification.operations import ReLU
from robustzoo.certification.optimise import SlopeSearch
from robustzoo.certification.program import Program
from robustzoo.certification.region import Region

SLACK = 1e-5  # of the largest bound of a node: how far float32 bounds are moved outwards


class Certifier:
    """Lower bounds of the margins of `model`, by one method, on batches of images.

    Args:
        norm, clip: see `Region`.
        precision: "float64", or "float32" for hidden bounds by compiled functions, moved outwards
            by 1e-5 of the largest of their node. The margins are in float64 in any case.
        memory: bytes that the rows of linear bounds may take.
        seconds: that a solver may take for one margin.
    """

    def __init__(self, model, norm, clip=True, precision="float64", memory=MEMORY, seconds=60.0):
        self.graph, self.norm, self.clip = Graph(model), norm, clip
        self.exact = Bounds(self.graph, FLOAT64, norm, clip, memory)
        self.fast = None
        if precision == "float32":
            self.fast = Bounds(self.graph, FLOAT32, norm, clip, memory)
        self.seconds, self._search, self._checked = seconds, None, False

    def logits(self, images, batch_size: int = 100) -> np.ndarray:
        """In float64, (N, classes)."""
        parts = [images[b : b + batch_size] for b in range(0, len(images), batch_size)]
        forward, weights = self.graph.forward, self.exact.weights
        return np.concatenate([forward(FLOAT64, weights, FLOAT64.read(p))[-1] for p in parts])

    def margins(self, name: str, images, labels, eps) -> np.ndarray:
        """Lower bounds of z_y - z_j, (B, classes), inf where j = y.

        Args:
            name: of `METHODS`.
            eps: a number, or one per image.
        """
        method = METHODS[name]
        region = self.exact.region(images, eps)
        boxes = self.boxes(region, images, eps, method.hidden)
        if method.program:
            return self._programs(region, labels, boxes, method.program == "milp")
        if method.slope != "optimised":
            return self.exact.margins(region, labels, boxes, method.slope)
        start = self.exact.margins(region, labels, boxes, "adaptive")
        if not any(isinstance(node.operation, ReLU) for node in self.graph.nodes):
            return start
        return np.maximum(start, self._optimised(region, labels, boxes))

    def boxes(self, region, images, eps, slope) -> list:
        """Bounds of every node in float64; the hard part of them in float32 where so asked."""
        if self.fast is None or slope is None:
            return self.exact.boxes(region, slope)
        if not self._checked:
            self._check_rounding(images)
        sure = self.exact.boxes(region)
        boxes = self.fast.boxes(self.fast.region(images, eps), slope)
        return [
            intersect(FLOAT64, _widened(box), own) for box, own in zip(boxes, sure, strict=True)
        ]

    def _check_rounding(self, images):
        """Refuses a device whose products are rounded to less than float32, as TF32's are."""
        exact = self.graph.forward(FLOAT64, self.exact.weights, FLOAT64.read(images))
        fast = self.graph.forward(FLOAT32, self.fast.weights, FLOAT32.read(images))
        for node, value, other in zip(self.graph.nodes, exact, fast, strict=True):
            error = np.abs(ops.convert_to_numpy(other) - value).max()
            if error > SLACK / 2 * np.abs(value).max():
                raise ValueError(
                    f"float32 bounds would be wrong: this device is off by {error:.2g} at "
                    f"{node.name!r}, of values up to {np.abs(value).max():.2g}. Set "
                    "NVIDIA_TF32_OVERRIDE=0, or use precision='float64'"
                )
        self._checked = True

    def _optimised(self, region, labels, boxes):
        """Every margin with lower lines of its own."""
        self._search = self._search or SlopeSearch(self.graph, self.norm, self.clip)
        output = self.graph.output
        margins = np.full((len(labels), self.graph[output].size), np.inf)
        image, other = np.nonzero(np.arange(margins.shape[1]) != np.asarray(labels)[:, None])
        for begin in range(0, len(image), self.exact.chunk):
            # One size for all chunks, so that one function is compiled.
            rows = np.arange(begin, begin + min(self.exact.chunk, len(image))) % len(image)
            at, second = image[rows], other[rows]
            first = np.asarray(labels)[at]
            own = {
                p: tuple(end[at] for end in boxes[p])
                for p in needed_boxes(self.graph, "adaptive", output)
            }
            part = Region(region.x[at], region.eps[at], self.norm, self.clip)
            slopes = self._search(part.x, part.eps, own, first, second)
            margins[at, second] = self.exact.pairs(part, first, second, own, slopes)
        return margins

    def _programs(self, region, labels, boxes, exact):
        margins = np.full((len(labels), self.graph[self.graph.output].size), np.inf)
        for i, label in enumerate(labels):
            one = Region(region.x[i : i + 1], region.eps[i : i + 1], self.norm, self.clip)
            own = [tuple(end[i : i + 1] for end in box) for box in boxes]
            program = Program(self.graph, own, one, exact)
            for j in range(margins.shape[1]):
                if j != label:
                    margins[i, j] = program.least(int(label), j, self.seconds)
        return margins


def _widened(box):
    low, high = (np.asarray(ops.convert_to_numpy(end), "float64") for end in box)
    axes = tuple(range(1, low.ndim))
    slack = SLACK * np.maximum(np.abs(low), np.abs(high)).max(axis=axes, keepdims=True)
    return low - slack, high + slack
