"""Margins of a batch by any of the methods."""

import math

import numpy as np

from robustzoo.certification.arrays import FLOAT64
from robustzoo.certification.bounds import MEMORY, Bounds
from robustzoo.certification.graph import Graph
from robustzoo.certification.methods import METHODS
from robustzoo.certification.operations import ReLU
from robustzoo.certification.optimise import SlopeSearch
from robustzoo.certification.program import Program, check_program
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
        logits = tuple(model.outputs[0].shape[1:])
        if len(logits) != 1 or logits[0] < 2:
            raise ValueError(
                "bounds are of logits (classes,), of two classes or more. Received: "
                f"{model.name!r}, which gives {logits}"
            )

    def check(self, names) -> None:
        """Raises ValueError, before any work, if one of these methods can't bound the model."""
        if any(METHODS[name].program for name in names):
            check_program(self.graph, self.norm)

    def logits(self, images, batch_size: int = 100) -> np.ndarray:
        """In float64, (N, classes)."""
        parts = [images[b : b + batch_size] for b in range(0, len(images), batch_size)]
        forward, weights = self.graph.forward, self.bounds.weights
        return np.concatenate([forward(FLOAT64, weights, FLOAT64.read(p))[-1] for p in parts])

    def answers(self, images, labels, tolerance, batch_size: int = 100):
        """Which images are classified correctly, bool (N,), and the largest size of a logit, (N,).

        In float64 and by the model as it is deployed alike: its logits may be larger, by what all
        classes share, and their rounding is what the tolerance of a proof is for. Where it rounds
        the margins of the image itself by more than `tolerance` of that size, the size is inf, so
        that nothing is proved; a `tolerance` of 0 asks nothing of rounding.
        """
        exact, own = self.logits(images, batch_size), forward(self.model, images, batch_size)
        correct = (exact.argmax(1) == labels) & (own.argmax(1) == labels)
        scale = np.maximum(np.abs(exact).max(1), np.abs(own).max(1))
        rounded = (exact - own) - np.take_along_axis(exact - own, labels[:, None], axis=1)
        if tolerance:
            scale = np.where(np.abs(rounded).max(1) <= tolerance * scale, scale, np.inf)
        return correct, scale

    @np.errstate(over="ignore", invalid="ignore")
    def margins(self, name, images, labels, eps, known=-np.inf, enough=np.inf) -> np.ndarray:
        """Lower bounds of z_y - z_j, (B, classes), inf where j = y.

        Where float64 overflows they are NaN, or all of the image -inf: of a unit whose bounds are
        NaN no line knows the sign.

        Args:
            name: of `METHODS`.
            eps: a number, or one per image.
            known, enough: (B, classes) and (B, 1). Methods that search for each margin by itself
                leave out those of which more than `enough` is `known`, or found by CROWN.
        """
        method, labels = METHODS[name], np.asarray(labels)
        region = self.bounds.region(images, eps)
        boxes = self.bounds.boxes(region, method.hidden)
        ends = [np.reshape(end, (len(labels), -1)) for box in boxes for end in box]
        sure = np.all([np.isfinite(end).all(axis=1) for end in ends], axis=0)
        margins = np.full((len(labels), self.graph[self.graph.output].size), -np.inf)
        if sure.any():
            at = slice(None) if sure.all() else sure  # views, where they will do
            region = Region(region.x[at], region.eps[at], self.norm, self.clip)
            boxes = [tuple(end[at] for end in box) for box in boxes]
            done = np.broadcast_to(known > enough, margins.shape)[at]
            enough = np.broadcast_to(enough, (len(labels), 1))[at]
            margins[at] = self._bounded(method, region, labels[at], boxes, done, enough)
        return margins

    def _bounded(self, method, region, labels, boxes, done, enough):
        """The margins of images whose `boxes` are finite; `done` (B, classes) need no search."""
        bent = any(isinstance(node.operation, ReLU) for node in self.graph.nodes)
        optimised = method.slope == "optimised"
        slope = "adaptive" if method.program or optimised else method.slope
        margins = self.bounds.margins(region, labels, boxes, slope)
        left = ~done & ~(margins > enough) & (np.arange(margins.shape[1]) != labels[:, None])
        pairs, found = np.nonzero(left), -np.inf
        if left.any() and method.program:
            found = self._programs(region, labels, boxes, method.program == "milp", pairs)
        elif left.any() and optimised and bent:
            found = self._optimised(region, labels, boxes, pairs)
        margins[pairs] = np.maximum(margins[pairs], found)
        return margins

    def _optimised(self, region, labels, boxes, pairs):
        """The margins of `pairs`, images and classes (R,) each, with lower lines of their own."""
        self._search = self._search or SlopeSearch(self.graph, self.norm, self.clip)
        image, other = pairs
        # Few sizes of chunks, so that few functions are compiled; rows fill them up.
        chunk = min(self.bounds.chunk_of_all, 2 ** math.ceil(math.log2(len(image))))
        margins = np.empty(len(image))
        for begin in range(0, len(image), chunk):
            rows = np.arange(begin, begin + chunk) % len(image)
            at, second = image[rows], other[rows]
            first = np.asarray(labels)[at]
            own = {p: tuple(end[at] for end in boxes[p]) for p in self.graph.bent}
            part = Region(region.x[at], region.eps[at], self.norm, self.clip)
            slopes = self._search(part.x, part.eps, own, first, second)
            each = np.arange(len(at))
            margins[rows] = self.bounds.pairs(part, first, second, each, own, slopes)
        return margins

    def _programs(self, region, labels, boxes, exact, pairs):
        """What the solver finds of the margins of `pairs`, -inf where that is nothing."""
        margins = []
        for i in np.unique(pairs[0]):
            one = Region(region.x[i : i + 1], region.eps[i : i + 1], self.norm, self.clip)
            own = [tuple(end[i : i + 1] for end in box) for box in boxes]
            program, rivals = Program(self.graph, own, one, exact), pairs[1][pairs[0] == i]
            margins += [program.least(int(labels[i]), int(j), self.seconds) for j in rivals]
        return np.array(margins)
