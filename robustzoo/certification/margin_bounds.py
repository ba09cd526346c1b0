"""Margins by one backward pass: for training, and where intervals are enough."""

from robustzoo.certification.linear import difference_rows, linear_bound, lines_of


def margin_bounds(xp, graph, weights, region, labels, boxes, slope=None):
    """Lower bounds of z_y - z_j on a region, (B, classes), 0 where j = y.

    A pure function of arrays, to be compiled; with `FLOAT32` differentiable in `weights` read by
    `graph.read` and in the variables behind them. Robust cross-entropy is that of the logits
    -margin_bounds (Wong & Kolter, 2018, arXiv:1711.00851).

    Args:
        xp: `FLOAT32` or `FLOAT64`.
        labels: (B,) integers.
        boxes: bounds of every node, of `interval_bounds` or `dual_bounds`.
        slope: None for intervals to the end (Gowal et al., 2018, arXiv:1810.12715), or a slope of
            linear bounds from the logits on (CROWN-IBP, Zhang et al., 2020, arXiv:1906.06316).
    """
    count = graph[graph.output].size
    own, steps = xp.reshape(labels, (-1, 1)), xp.reshape(xp.arange(1, count), (1, -1))
    # Of every image the other classes, flat; the product only gives the label the shape of both.
    first, second = (xp.reshape(c, (-1,)) for c in (own + 0 * steps, xp.mod(own + steps, count)))
    start = difference_rows(xp, graph, graph.output, first, second)
    lines = lines_of(xp, graph, boxes, slope, graph.output)
    low, _ = linear_bound(xp, graph, weights, start, count - 1, lines, region)
    low = xp.reshape(low, (-1, count - 1))
    low = xp.concatenate([xp.zeros_like(low[:, :1]), low], axis=1)
    place = xp.mod(xp.reshape(xp.arange(count), (1, -1)) - own, count)
    return xp.take_along_axis(low, place, axis=1)
