"""Margins of a batch by any of the methods."""

import numpy as np

from robustzoo.certification.arrays import FLOAT64
from robustzoo.certification.bounds import MEMORY, Bounds
from robustzoo.certification.graph import Graph
from robustzoo.certification.methods import METHODS
from robustzoo.certification.operations import ReLU
from robustzoo.certification.optimise import SlopeSearch
from robustzoo.certification.program import Program
from robustzoo.certification.region import NORMS, Region
from robustzoo.forward import forward


class Certifier:
    """Lower bounds of the margins of `model`, by one method, on batches of images.

    Args:
        norm, clip: see `Region`.
        memory: bytes that the rows of linear bounds may take.
        seconds: that a solver may take for one margin; where it finds less in that time than lines
            through the same hidden bounds, these count.
    """

    def __init__(self, model, norm, clip=True, memory=MEMORY, seconds=60.0):
        if norm not in NORMS:
            raise ValueError(f"norm must be the class Linf, L2 or L1. Received: {norm!r}")
        self.model, self.graph, self.norm, self.clip = model, Graph(model), norm, clip
        self.bounds = Bounds(self.graph, norm, clip, memory)
        self.seconds, self._search = seconds, None

    def logits(self, images, batch_size: int = 100) -> np.ndarray:
        """In float64, (N, classes)."""
        parts = [images[b : b + batch_size] for b in range(0, len(images), batch_size)]
        forward, weights = self.graph.forward, self.bounds.weights
        return np.concatenate([forward(FLOAT64, weights, FLOAT64.read(p))[-1] for p in parts])

    def answers(self, images, labels, batch_size: int = 100) -> tuple[np.ndarray, np.ndarray]:
        """Which images are classified correctly, bool (N,), and the largest size of a logit, (N,).

        In float64 and by the model as it is deployed alike: its logits may be larger, by what all
        classes share, and their rounding is what the tolerance of a proof is for.
        """
        exact, own = self.logits(images, batch_size), forward(self.model, images, batch_size)
        correct = (exact.argmax(1) == labels) & (own.argmax(1) == labels)
        return correct, np.maximum(np.abs(exact).max(1), np.abs(own).max(1))

    def margins(self, name: str, images, labels, eps) -> np.ndarray:
        """Lower bounds of z_y - z_j, (B, classes), inf where j = y.

        Args:
            name: of `METHODS`.
            eps: a number, or one per image.
        """
        method = METHODS[name]
        region = self.bounds.region(images, eps)
        boxes = self.bounds.boxes(region, method.hidden)
        if method.program:
            found = self._programs(region, labels, boxes, method.program == "milp")
            return np.maximum(found, self.bounds.margins(region, labels, boxes, "adaptive"))
        if method.slope != "optimised":
            return self.bounds.margins(region, labels, boxes, method.slope)
        start = self.bounds.margins(region, labels, boxes, "adaptive")
        if not any(isinstance(node.operation, ReLU) for node in self.graph.nodes):
            return start
        return np.maximum(start, self._optimised(region, labels, boxes))

    def _optimised(self, region, labels, boxes):
        """Every margin with lower lines of its own."""
        self._search = self._search or SlopeSearch(self.graph, self.norm, self.clip)
        margins = np.full((len(labels), self.graph[self.graph.output].size), np.inf)
        image, other = np.nonzero(np.arange(margins.shape[1]) != np.asarray(labels)[:, None])
        for begin in range(0, len(image), self.bounds.chunk):
            # One size for all chunks, so that one function is compiled.
            rows = np.arange(begin, begin + min(self.bounds.chunk, len(image))) % len(image)
            at, second = image[rows], other[rows]
            first = np.asarray(labels)[at]
            own = {p: tuple(end[at] for end in boxes[p]) for p in self.graph.bent}
            part = Region(region.x[at], region.eps[at], self.norm, self.clip)
            slopes = self._search(part.x, part.eps, own, first, second)
            each = np.arange(len(at))
            margins[at, second] = self.bounds.pairs(part, first, second, each, own, slopes)
        return margins

    def _programs(self, region, labels, boxes, exact):
        """What the solver finds of every margin, -inf where that is nothing."""
        margins = np.full((len(labels), self.graph[self.graph.output].size), np.inf)
        for i, label in enumerate(labels):
            one = Region(region.x[i : i + 1], region.eps[i : i + 1], self.norm, self.clip)
            own = [tuple(end[i : i + 1] for end in box) for box in boxes]
            program = Program(self.graph, own, one, exact)
            for j in range(margins.shape[1]):
                if j != label:
                    margins[i, j] = program.least(int(label), j, self.seconds)
        return margins
