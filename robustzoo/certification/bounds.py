"""Bounds of the hidden units and of the margins of a batch."""

import functools

import numpy as np
from keras import ops

from robustzoo.backend import compiled
from robustzoo.certification.arrays import FLOAT32, FLOAT64
from robustzoo.certification.graph import Graph
from robustzoo.certification.intervals import interval_bounds
from robustzoo.certification.linear import (
    difference_rows,
    linear_bound,
    lines_of,
    needed_boxes,
    unit_rows,
)
from robustzoo.certification.region import Region
from robustzoo.threats import Linf

MEMORY = 2**28  # bytes
COPIES = 12  # arrays of the size of the largest layer that a row of a linear bound may need at once


class Bounds:
    """Lower bounds of the margins of `graph` on regions of one norm.

    Rows of coefficients are bounded in chunks, so that they take no more than `memory` bytes, and
    each belongs to one image: the bounds of an image do not depend on the others in its batch.

    Args:
        xp: `FLOAT64`, or `FLOAT32` for compiled functions of the backend.
        norm, clip: of the regions, see `Region`.
    """

    def __init__(self, graph: Graph, xp=FLOAT64, norm=Linf, clip=True, memory: int = MEMORY):
        self.graph, self.xp, self.norm, self.clip = graph, xp, norm, clip
        self.weights, self.memory, self._functions = graph.read(xp), memory, {}
        row = COPIES * max(node.size for node in graph.nodes) * np.dtype(xp.dtype).itemsize
        self.chunk = max(1, memory // row)

    def region(self, images, eps) -> Region:
        """The region of `eps`, a number or (B,), around images (B, H, W, C)."""
        eps = np.broadcast_to(np.asarray(eps, "float64"), len(images))
        return Region(self.xp.read(images), self.xp.read(eps), self.norm, self.clip)

    def boxes(self, region: Region, slope: str | None = None) -> list:
        """Bounds (low, high) of every node.

        Args:
            slope: None for intervals; else units that intervals leave undecided get linear bounds
                with this slope (CROWN), and each bound is the better of both.
        """
        if slope is None:
            return self._intervals(region)

        def better(place, boxes):
            if self._undecided(place):
                return self._tightened(place, boxes, region, slope)
            return boxes[place]

        return interval_bounds(self.xp, self.graph, self.weights, region, self.radii, better)

    def margins(self, region: Region, labels, boxes, slope) -> np.ndarray:
        """Lower bounds of z_y - z_j, (B, classes); inf where j = y.

        The difference goes through the last layers as one map. With `slope` None it is bounded by
        the intervals of the last nonlinear operations, else by lines; see `lines_of`.
        """
        labels, classes = np.asarray(labels), self.graph[self.graph.output].size
        margins = np.full((len(labels), classes), np.inf)
        image, other = np.nonzero(np.arange(classes) != labels[:, None])
        rows = labels[image], other, image
        margins[image, other] = self._rows(self.graph.output, rows, boxes, region, slope)[0]
        return margins

    def pairs(self, region: Region, first, second, boxes, slope) -> np.ndarray:
        """Lower bounds of z_first - z_second of each image, (B,): one pair of classes for each."""
        rows = first, second, np.arange(len(first))
        return self._rows(self.graph.output, rows, boxes, region, slope)[0]

    def _intervals(self, region):
        radii = self.radii  # computed here, not while a function is traced

        def intervals(x, eps):
            region = Region(x, eps, self.norm, self.clip)
            return interval_bounds(self.xp, self.graph, self.weights, region, radii)

        if self.xp is FLOAT64:
            return intervals(region.x, region.eps)
        if "intervals" not in self._functions:
            self._functions["intervals"] = compiled(intervals, [])
        return self._functions["intervals"](region.x, region.eps)

    @functools.cached_property
    def radii(self) -> dict:
        """Dual norms (*shape) of the linear maps from the images to undecided units; {} of Linf."""
        if self.norm is Linf:
            return {}
        exact = Bounds(self.graph, FLOAT64, self.norm, False, self.memory)
        places = [p for p in self.graph.bent if np.isfinite(self.graph[p].mixing)]
        return {place: self.xp.read(exact._radius(place)) for place in places}

    def _radius(self, place):
        node, unit = self.graph[place], self.graph[0].shape
        region = Region(np.zeros((1, *unit)), np.ones(1), self.norm, False)
        rows = np.arange(node.size), np.ones(node.size), np.zeros(node.size, int)
        # On the unit ball around 0 the least of <a, z> + b is b - ||a||*, the largest b + ||a||*.
        low, high = self._rows(place, rows, {}, region, "same")
        return ((high - low) / 2.0).reshape(node.shape)

    def _undecided(self, place):
        """Whether linear bounds may be better than the interval of a node, and matter."""
        node, exact = self.graph[place], 1 if self.norm is Linf else 0
        return place in self.graph.bent and node.mixing > exact and not node.nonlinear

    def _tightened(self, place, boxes, region, slope):
        """The box of a node, better where the sign of a unit is undecided."""
        low, high = (np.array(ops.convert_to_numpy(end)) for end in boxes[place])
        users = [self.graph[i].operation for i in self.graph.consumers[place]]
        masks = [user.crossing(low, high) for user in users if hasattr(user, "crossing")]
        image, *unit = np.nonzero(np.any(masks, axis=0))
        if len(image):
            flat = np.ravel_multi_index(unit, self.graph[place].shape)
            at = (image, *unit)
            least, most = self._ends(place, flat, image, boxes, region, slope)
            low[at], high[at] = np.maximum(low[at], least), np.minimum(high[at], most)
        return self.xp.read(low), self.xp.read(high)

    def _ends(self, place, units, image, boxes, region, slope):
        """Lower and upper bounds of some units of some images."""
        signs = np.ones(len(units))
        least, most = self._rows(place, (units, signs, image), boxes, region, slope)
        if most is None:
            rows = units, -signs, image
            most = -self._rows(place, rows, boxes, region, slope)[0]
        return least, most

    def _rows(self, place, rows, boxes, region, slope):
        """`linear_bound` of rows, see `_bound`, chunk after chunk."""
        bound = self._prepared(place, boxes, region, slope)
        ends = []
        for begin in range(0, len(rows[0]), self.chunk):
            ends.append(bound(*(part[begin : begin + self.chunk] for part in rows)))
        lows, highs = zip(*ends, strict=True)
        return np.concatenate(lows), None if highs[0] is None else np.concatenate(highs)

    def _prepared(self, place, boxes, region, slope):
        """A function of rows, see `_bound`, that gives their bounds as NumPy arrays."""
        if self.xp is FLOAT32:
            return self._compiled(place, boxes, region, slope)
        lines = lines_of(self.xp, self.graph, boxes, slope, place)

        def bound(*rows):
            return self._bound(place, rows, lines, region)

        return bound

    def _bound(self, place, rows, lines, region):
        """Rows are (first, second, image) of differences, or (units, signs, image) of units."""
        xp, graph, (one, other, index) = self.xp, self.graph, rows
        if place == graph.output:
            start = difference_rows(xp, graph, place, one, other)
        else:
            start = unit_rows(xp, graph, self.weights, place, one, other)
        return linear_bound(xp, graph, self.weights, start, index, lines, region)

    def _compiled(self, place, boxes, region, slope):
        if (place, slope) not in self._functions:

            def bound(rows, boxes, x, eps):
                lines = lines_of(self.xp, self.graph, boxes, slope, place)
                region = Region(x, eps, self.norm, self.clip)
                low, high = self._bound(place, rows, lines, region)
                return (low,) if high is None else (low, high)

            self._functions[place, slope] = compiled(bound, [])
        boxes = {p: boxes[p] for p in needed_boxes(self.graph, slope, place)}

        def run(*rows):
            count = len(rows[0])
            # A chunk of another size would compile again: fill up to the next power of two.
            fill = np.arange(min(self.chunk, 2 ** (count - 1).bit_length())) % count
            rows = [np.asarray(part)[fill] for part in rows]
            rows = [r.astype("float32" if r.dtype.kind == "f" else "int32") for r in rows]
            out = self._functions[place, slope](rows, boxes, region.x, region.eps)
            ends = [ops.convert_to_numpy(end)[:count] for end in out]
            return ends[0], ends[1] if len(ends) == 2 else None

        return run
