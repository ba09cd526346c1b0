"""Margins by one backward pass over intervals: for training, and where they are enough."""

from robustzoo.certification.intervals import interval_bounds
from robustzoo.certification.linear import difference_rows, linear_bound, lines_of


def margin_bounds(xp, graph, weights, region, labels, slope=None, radii=None):
    """Lower bounds of z_y - z_j on a region, (B, classes), 0 where j = y.

    A pure function of arrays, to be compiled; with `FLOAT32` differentiable in `weights` read by
    `graph.read` and in the variables behind them. Robust cross-entropy is that of the logits
    -margin_bounds (Wong & Kolter, 2018, arXiv:1711.00851).

    Args:
        xp: `FLOAT32` or `FLOAT64`.
        labels: (B,) integers.
        slope: None for intervals to the end (Gowal et al., 2018, arXiv:1810.12715), or a slope of
            linear bounds from the logits on (CROWN-IBP, Zhang et al., 2020, arXiv:1906.06316).
        radii: of L2 and L1 regions, see `interval_bounds`; without them the box around the ball.
    """
    boxes = interval_bounds(xp, graph, weights, region, radii)
    classes = xp.reshape(xp.arange(graph[graph.output].size), (1, -1))
    own, image = (
        xp.reshape(labels, (-1, 1)),
        xp.reshape(xp.cumsum(xp.ones_like(labels)) - 1, (-1, 1)),
    )
    # Every image with every class, flat; the products only give each the shape of both.
    first, second, index = (
        xp.reshape(part, (-1,))
        for part in (own + 0 * classes, classes + 0 * own, image + 0 * classes)
    )
    start = difference_rows(xp, graph, graph.output, first, second)
    lines = lines_of(xp, graph, boxes, slope, graph.output)
    low, _ = linear_bound(xp, graph, weights, start, index, lines, region)
    return xp.reshape(low, (-1, graph[graph.output].size))
