"""Bounds of hidden units by lines of one slope, exact or by random projections: for training."""

import functools
import math

from keras import ops, random

from robustzoo.certification.intervals import intersect, interval_bounds
from robustzoo.certification.linear import linear_bound, lines_of, unit_rows
from robustzoo.certification.operations import Convolution, ReLU
from robustzoo.certification.patch import saves_work

ESTIMATORS = ("median", "geometric")


def dual_bounds(
    xp, graph, weights, region, projections=None, estimator="median", seed=None, exact=True
):
    """Bounds of every node by the dual of Wong & Kolter (2018, arXiv:1711.00851).

    Between lines of one slope a unit is c + <g, e> with |e_i| <= 1 for some row g of its own, so
    c -+ ||g||_1 bound it; what counts is the better of that and of intervals. With `projections`
    k, ||g||_1 is estimated from k sums <g, R>, R independent standard Cauchy variables, of which
    each has the scale ||g||_1 (Wong et al., 2018, arXiv:1805.12514). That is so where more units of
    a node may cross, by the intervals of the image, than `affordable` says; else those that may
    have exact rows. An estimate is too small half of the time: train with it, certify without.

    Args:
        xp: `FLOAT32`, or `FLOAT64` without projections.
        region: of `Linf`.
        projections: k; None for an exact row of every unit.
        estimator: of ||g||_1 from sums s: "median", or "geometric", cos(pi / 2k)^k prod |s|^(1/k).
            None for intervals in place of estimates: bounds, whatever `projections` are.
        seed: a `keras.random.SeedGenerator`, which the projections draw from.
        exact: whether the few units that may cross have exact rows.
    """
    if projections:
        check_projectable(graph)
    # Intervals of the first affine layer are exact.
    places = [p for p in graph.bent if graph[p].mixing > 1 and not graph[p].nonlinear]
    counts = {p: affordable(graph, weights, p, projections) for p in places if projections}
    wide = [p for p, count in counts.items() if graph[p].size > count]
    sums = {}
    if wide and estimator:
        sums[0] = _sums(xp, graph, weights, [region.box(xp)], sums, 0, projections, seed)

    def better(place, boxes):
        if sums and place <= wide[-1]:
            sums[place] = _sums(xp, graph, weights, boxes, sums, place, projections, seed)
        if place not in places:
            return boxes[place]
        if place not in wide:
            return intersect(xp, boxes[place], _all_rows(xp, graph, weights, region, boxes, place))
        drawn = _estimated(xp, boxes[place], sums[place], estimator) if sums else boxes[place]
        if not exact:
            return drawn
        return _exact_where_few(xp, graph, weights, region, boxes, place, counts[place], drawn)

    return interval_bounds(xp, graph, weights, region, better=better)


def _estimated(xp, box, sums, estimator):
    """The better of a node's `box` and of what its `sums` estimate."""
    center, radius = sums[0], _scale(sums[1], estimator)
    return intersect(xp, box, (center - radius, center + radius))


def check_projectable(graph) -> None:
    """ValueError unless every nonlinear node is a ReLU."""
    bent = [node for node in graph.nodes if node.nonlinear]
    other = [node.name for node in bent if not isinstance(node.operation, ReLU)]
    if other:
        raise ValueError(f"projections are of ReLU networks. Received: {', '.join(other)}")


def affordable(graph, weights, place: int, projections: int) -> int:
    """How many rows of units of a node are no larger than `projections` whole rows over its input.

    So many, but of a convolution more: its rows are windows, as large as its kernels.
    """
    node = graph[place]
    if not isinstance(node.operation, Convolution):
        return projections
    window, source = weights[place][0].shape[:3], graph[node.inputs[0]]
    if not saves_work(window, source.shape):
        return projections
    return projections * source.size // math.prod(window)


def _exact_where_few(xp, graph, weights, region, boxes, place, count, drawn):
    """`drawn`, the box of a node, made exact in the images where at most `count` units cross.

    How many do is known when it runs, but shapes when it is compiled: so every image gets `count`
    rows, of the first units that cross and, where there are fewer, of some that do not. A batch
    without any such image skips them all.
    """
    node, users = graph[place], [graph[i].operation for i in graph.consumers[place]]
    crossing = [user.crossing(*boxes[place]) for user in users if hasattr(user, "crossing")]
    crossing = functools.reduce(ops.logical_or, crossing)
    flat = ops.cast(ops.reshape(crossing, (-1, node.size)), "int32")
    few, shape = ops.sum(flat, axis=1) <= count, (-1, *node.shape)

    def exact():
        # Of equal values it is not said which come first, so none of those that count are equal.
        order = ops.arange(node.size, 0, -1, dtype="int32")
        _, units = ops.top_k(ops.cast(flat * order, "float32"), count)
        rank = ops.clip(ops.cumsum(flat, axis=1) - 1, 0, count - 1)
        found = _rows(xp, graph, weights, region, boxes, place, units)
        ends = [ops.take_along_axis(end, rank, axis=1) for end in found]
        better = intersect(xp, boxes[place], [ops.reshape(end, shape) for end in ends])
        # The sign of the other units is known, and nothing else of them is asked.
        whole = [ops.where(crossing, *pair) for pair in zip(better, boxes[place], strict=True)]
        own = ops.reshape(few, (-1, *(1,) * len(node.shape)))
        return tuple(ops.where(own, *pair) for pair in zip(whole, drawn, strict=True))

    return ops.cond(ops.any(few), exact, lambda: drawn)


def _all_rows(xp, graph, weights, region, boxes, place):
    """The box of a node by one exact row per unit."""
    node = graph[place]
    unit = xp.reshape(xp.arange(node.size), (1, -1))
    image = xp.reshape(xp.arange(xp.shape(region.eps)[0]), (-1, 1))
    ends = _rows(xp, graph, weights, region, boxes, place, unit + 0 * image)
    return tuple(xp.reshape(end, (-1, *node.shape)) for end in ends)


def _rows(xp, graph, weights, region, boxes, place, units):
    """Exact bounds (low, high), (B, R) each, of `units` (B, R) of a node."""
    count, units = units.shape[1], xp.reshape(units, (-1,))
    signs, lines = xp.ones(xp.shape(units), xp.dtype), lines_of(xp, graph, boxes, "same", place)

    def ends(signs):
        start = unit_rows(xp, graph, weights, place, units, signs)
        return linear_bound(xp, graph, weights, start, count, lines, region)

    low, high = ends(signs)
    if high is None:  # max pooling has no parallel lines
        high = -ends(-signs)[0]
    return tuple(xp.reshape(end, (-1, count)) for end in (low, high))


def _sums(xp, graph, weights, boxes, sums, place, count, seed):
    """Of a node z: c (B, *shape), and `count` sums <g, R> of each unit (B, count, *shape)."""
    node = graph[place]
    if node.operation is None:
        low, high = boxes[place]
        return (low + high) / 2.0, ((high - low) / 2.0)[:, None] * _cauchy(xp, count, node, seed)
    sources = [sums[i] for i in node.inputs]
    if not node.nonlinear:
        centers, spreads = zip(*sources, strict=True)
        center = node.operation.forward(xp, weights[place], *centers)
        return center, _linear(xp, node, weights[place], spreads)
    ((center, spread),) = sources
    slope, low, _, high = node.operation.lines(xp, *boxes[node.inputs[0]], "same")
    low = xp.zeros_like(high) if low is None else low
    fresh = ((high - low) / 2.0)[:, None] * _cauchy(xp, count, node, seed)
    return slope * center + (low + high) / 2.0, slope[:, None] * spread + fresh


def _linear(xp, node, w, spreads):
    """The sums behind an affine operation, from those before: L(x) without what it adds."""
    count = spreads[0].shape[1]
    flat = [xp.reshape(x, (-1, *x.shape[2:])) for x in spreads]
    added = node.operation.forward(xp, w, *(xp.zeros_like(x[:1]) for x in flat))
    return xp.reshape(node.operation.forward(xp, w, *flat) - added, (-1, count, *node.shape))


def _cauchy(xp, count, node, seed):
    uniform = random.uniform((count, *node.shape), dtype=xp.dtype, seed=seed)
    return ops.tan(math.pi * (uniform - 0.5))


def _scale(sums, estimator):
    """The scale of Cauchy variables (B, k, *shape) of one scale."""
    size, count = ops.abs(sums), sums.shape[1]
    if estimator == "median":
        return ops.median(size, axis=1)
    logarithm = ops.mean(ops.log(ops.maximum(size, 1e-12)), axis=1)
    return ops.exp(logarithm) * math.cos(math.pi / (2 * count)) ** count
