"""Bounds of the hidden units and of the margins of a batch."""

import functools
import operator

import numpy as np

from robustzoo.certification.arrays import FLOAT64
from robustzoo.certification.graph import Graph
from robustzoo.certification.intervals import interval_bounds
from robustzoo.certification.linear import (
    difference_rows,
    linear_bound,
    lines_of,
    mapped,
    unit_rows,
)
from robustzoo.certification.region import Region
from robustzoo.threats import Linf

MEMORY = 2**28  # bytes
# Arrays of the size of the largest layer that a row of a linear bound may need at once; besides
# come those that an operation spreads over the taps of its windows.
COPIES = 12
WHOLE = 8  # arrays of the size of all layers that a row needs whose slopes are searched for


class Bounds:
    """Lower bounds of the margins of `graph` on regions of one norm, in float64.

    Rows of coefficients are bounded in chunks, so that they take no more than `memory` bytes, and
    each belongs to one image: the bounds of an image do not depend on the others in its batch.

    Args:
        norm, clip: of the regions, see `Region`.
    """

    def __init__(self, graph: Graph, norm=Linf, clip=True, memory: int = MEMORY):
        self.graph, self.norm, self.clip, self.memory = graph, norm, clip, memory
        self.weights = graph.read(FLOAT64)
        numbers = memory // np.dtype(FLOAT64.dtype).itemsize
        self.chunk = int(max(1, numbers // self._entries()))
        whole = WHOLE * sum(node.size for node in graph.nodes)
        self.chunk_of_all = int(max(1, min(self.chunk, numbers // whole)))

    def region(self, images, eps) -> Region:
        """The region of `eps`, a number or (B,), around images (B, H, W, C)."""
        eps = np.broadcast_to(np.asarray(eps, "float64"), len(images))
        return Region(FLOAT64.read(images), eps, self.norm, self.clip)

    def boxes(self, region: Region, slope: str | None = None) -> list:
        """Bounds (low, high) of every node.

        Args:
            slope: None for intervals; else units that intervals leave undecided get linear bounds
                with this slope (CROWN), and each bound is the better of both.
        """

        def better(place, boxes):
            if slope is not None and self._undecided(place):
                return self._tightened(place, boxes, region, slope)
            return boxes[place]

        return interval_bounds(FLOAT64, self.graph, self.weights, region, self.radii, better)

    def margins(self, region: Region, labels, boxes, slope) -> np.ndarray:
        """Lower bounds of z_y - z_j, (B, classes); inf where j = y.

        The difference goes through the last layers as one map. With `slope` None it is bounded by
        the intervals of the last nonlinear operations, else by lines; see `lines_of`.
        """
        labels, classes = np.asarray(labels), self.graph[self.graph.output].size
        margins = np.full((len(labels), classes), np.inf)
        image, other = np.nonzero(np.arange(classes) != labels[:, None])
        found = self.pairs(region, labels[image], other, image, boxes, slope)
        margins[image, other] = found
        return margins

    def pairs(self, region: Region, first, second, image, boxes, slope) -> np.ndarray:
        """Lower bounds of z_first - z_second, (R,): a pair of classes of the `image` of each."""
        output = self.graph.output
        lines = lines_of(FLOAT64, self.graph, boxes, slope, output)
        return self._rows(output, (first, second, image), lines, region)[0]

    def _entries(self):
        """How many numbers one row may need at once."""
        spread = (
            node.operation.spread(w)
            for node, w in zip(self.graph.nodes, self.weights, strict=True)
            if hasattr(node.operation, "spread")
        )
        return COPIES * max(node.size for node in self.graph.nodes) + max(spread, default=0)

    @functools.cached_property
    def radii(self) -> dict:
        """Dual norms (*shape) of the linear maps from the images to undecided units; {} of Linf."""
        if self.norm is Linf:
            return {}
        places = [p for p in self.graph.bent if np.isfinite(self.graph[p].mixing)]
        return {place: self._radius(place) for place in places}

    def _radius(self, place):
        node, unit = self.graph[place], self.graph[0].shape
        region = Region(np.zeros((1, *unit)), np.ones(1), self.norm, False)
        rows = np.arange(node.size), np.ones(node.size), np.zeros(node.size, int)
        # On the unit ball around 0 the least of <a, z> + b is b - ||a||*, the largest b + ||a||*.
        # No line is needed: up to here all is affine, whatever a parallel branch is.
        low, high = self._rows(place, rows, {}, region)
        return ((high - low) / 2.0).reshape(node.shape)

    def _undecided(self, place):
        """Whether linear bounds may be better than the interval of a node, and matter."""
        node, exact = self.graph[place], 1 if self.norm is Linf else 0
        return place in self.graph.bent and node.mixing > exact and not node.nonlinear

    def _tightened(self, place, boxes, region, slope):
        """The box of a node, better where the sign of a unit is undecided."""
        low, high = (end.copy() for end in boxes[place])
        users = [self.graph[i].operation for i in self.graph.consumers[place]]
        masks = [user.crossing(low, high) for user in users if hasattr(user, "crossing")]
        image, *unit = np.nonzero(np.any(masks, axis=0))
        if len(image):
            flat = np.ravel_multi_index(unit, self.graph[place].shape)
            at = (image, *unit)
            least, most = self._ends(place, flat, image, boxes, region, slope)
            low[at], high[at] = np.maximum(low[at], least), np.minimum(high[at], most)
        return low, high

    def _ends(self, place, units, image, boxes, region, slope):
        """Lower and upper bounds of some units of some images."""
        signs, lines = np.ones(len(units)), lines_of(FLOAT64, self.graph, boxes, slope, place)
        least, most = self._rows(place, (units, signs, image), lines, region)
        if most is None:
            most = -self._rows(place, (units, -signs, image), lines, region)[0]
        return least, most

    def _rows(self, place, rows, lines, region):
        """Lower and upper bounds of rows, group after group; upper ones as in `linear_bound`.

        Rows are (first, second, image) of differences, or (units, signs, image) of units, sorted by
        image.
        """
        lows, highs = [], []
        for own, images, count in groups(rows[2], self.chunk):
            one, other = (part[own] for part in rows[:2])
            if place == self.graph.output:
                start = difference_rows(FLOAT64, self.graph, place, one, other)
            else:
                start = unit_rows(FLOAT64, self.graph, self.weights, place, one, other)
            about = Region(region.x[images], region.eps[images], region.norm, region.clip)
            near = {p: mapped(operator.itemgetter(images), every) for p, every in lines.items()}
            low, high = linear_bound(FLOAT64, self.graph, self.weights, start, count, near, about)
            lows.append(low)
            highs.append(high)
        return np.concatenate(lows), None if highs[0] is None else np.concatenate(highs)


def groups(image, chunk: int):
    """Parts of at most `chunk` rows, whose `image` (R,) ascend: each of one count per image.

    Yields:
        The slice of the rows, the images that they are about, and how many each has.
    """
    images, begins, counts = np.unique(image, return_index=True, return_counts=True)
    first = 0
    while first < len(images):
        count, last = counts[first], first + 1
        while (last + 1 - first) * count <= chunk and last < len(images) and counts[last] == count:
            last += 1
        step, end = min(count, chunk) * (last - first), begins[last - 1] + count
        for begin in range(begins[first], end, step):
            rows = min(step, end - begin)
            yield slice(begin, begin + rows), images[first:last], rows // (last - first)
        first = last
