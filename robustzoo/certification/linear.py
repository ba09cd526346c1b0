"""Linear bounds, from the outputs back to the images."""

from collections.abc import Mapping

from robustzoo.certification.operations import Convolution, Dense
from robustzoo.certification.operations._affine import of_rows, pairs


def lines_of(xp, graph, boxes, slope, last: int) -> dict:
    """The lines around each nonlinear node up to place `last`, from the bounds of what it takes.

    Args:
        boxes: (low, high) by place, of what the nonlinear nodes take; with `slope` None of theirs.
        slope: "same", "adaptive" or "zero", or {place: values in [0, 1]}; see `operations.ReLU`.
            None for no lines, but the box of each nonlinear node.
    """
    lines = {}
    for place, node in enumerate(graph.nodes[: last + 1]):
        if node.nonlinear and slope is None:
            lines[place] = boxes[place]
        elif node.nonlinear:
            own = slope if isinstance(slope, str) else slope.get(place, "adaptive")
            lines[place] = node.operation.lines(xp, *boxes[node.inputs[0]], own)
    return lines


def difference_rows(xp, graph, place, first, second):
    """Rows e_first - e_second (R, *shape) over the entries of a node, and no offsets.

    The first of the three results is the place that the rows are about, for `linear_bound`.
    """
    entries = xp.reshape(xp.arange(graph[place].size), (1, -1))
    ones, others = (xp.equal(xp.reshape(e, (-1, 1)), entries) for e in (first, second))
    rows = xp.where(ones, 1.0, 0.0) - xp.where(others, 1.0, 0.0)
    return place, xp.reshape(rows, (-1, *graph[place].shape)), 0.0


def unit_rows(xp, graph, weights, place, units, signs):
    """Rows s e of single entries of a node, or the same as rows of its input, and their offsets."""
    node = graph[place]
    vector = isinstance(node.operation, Dense) and len(node.shape) == 1
    if vector or isinstance(node.operation, Convolution):
        rows, offset = node.operation.rows(xp, weights[place], units)
        place, offset = node.inputs[0], offset * signs
    else:
        entries = xp.reshape(xp.arange(node.size), (1, -1))
        rows = xp.where(xp.equal(xp.reshape(units, (-1, 1)), entries), 1.0, 0.0)
        rows, offset = xp.reshape(rows, (-1, *node.shape)), 0.0
    return place, rows * xp.reshape(signs, (-1, *(1,) * (len(rows.shape) - 1))), offset


def linear_bound(xp, graph, weights, start, index, lines: Mapping, region):
    """Bounds of <a, z> + b for rows a of coefficients of one node z.

    Every node passes its coefficients to its inputs once all that take it have given theirs: an
    affine one the adjoint L'a, a nonlinear one those of the line below where they are positive, of
    the line above where they are negative (Zhang et al., 2018, arXiv:1811.00866). What is left is
    linear in the images, and least on the region by its dual norm.

    Args:
        start: place of z, rows a (R, *shape), offsets b (R,) or 0; from `difference_rows` or
            `unit_rows`.
        index: (R,), the image in the region that each row is about; or, where rows go through the
            images in their order, how many each has.
        lines: {place of a nonlinear node: its `lines`, (B, ...), or a box (low, high)}.

    Returns:
        The lower bounds (R,), and upper ones if all lines are parallel, else None.
    """
    place, rows, offset = start
    pending, low, high = {place: rows}, offset, offset
    for current in range(place, -1, -1):
        a = pending.pop(current, None)
        if a is None:
            continue
        node = graph[current]
        if node.operation is None:
            most = None if high is None else high - region.least(xp, -a, index)
            return low + region.least(xp, a, index), most
        parts, below, above = _step(xp, node, weights[current], lines.get(current), index, a)
        low, high = low + below, None if high is None or above is None else high + above
        for source, part in zip(node.inputs, parts, strict=False):
            pending[source] = pending[source] + part if source in pending else part
    return low, high


def _step(xp, node, weights, lines, index, a):
    """Coefficients for each input of `node`, lower and upper offset."""
    if not node.nonlinear:
        parts, offset = node.operation.adjoint(xp, weights, a)
        return parts, offset, offset
    slopes = _gathered(xp, lines, index)
    if len(slopes) == 2:  # a box: nothing is passed on
        ends = [pairs(xp, xp.maximum(a, 0.0), slopes[k]) for k in (0, 1)]
        others = [pairs(xp, xp.minimum(a, 0.0), slopes[k]) for k in (1, 0)]
        return (), ends[0] + others[0], ends[1] + others[1]
    part, low, high = node.operation.adjoint(xp, slopes, a)
    return (part,), low, high


def _gathered(xp, lines, index):
    """The lines of the image of each row; one array that stands for both slopes stays one."""
    done = {id(None): None}
    for line in lines:
        if id(line) not in done:
            done[id(line)] = of_rows(xp, line, index)
    return [done[id(line)] for line in lines]
