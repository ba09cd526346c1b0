"""Linear bounds, from the outputs back to the images."""

from collections.abc import Mapping

from robustzoo.certification.operations import Convolution, Dense
from robustzoo.certification.operations._affine import pairs
from robustzoo.certification.operations._elementwise import Elementwise
from robustzoo.certification.patch import Patch


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


def mapped(function, lines) -> list:
    """What `function` makes of each array of lines; one that stands for both slopes stays one."""
    done = {id(None): None}
    for line in lines:
        if id(line) not in done:
            done[id(line)] = function(line)
    return [done[id(line)] for line in lines]


def difference_rows(xp, graph, place, first, second):
    """Rows e_first - e_second (R, *shape) over the entries of a node, and no offsets.

    The first of the three results is the place that the rows are about, for `linear_bound`.
    """
    entries = xp.reshape(xp.arange(graph[place].size), (1, -1))
    ones, others = (xp.equal(xp.reshape(e, (-1, 1)), entries) for e in (first, second))
    rows = xp.read(ones) - xp.read(others)
    return place, xp.reshape(rows, (-1, *graph[place].shape)), 0.0


def unit_rows(xp, graph, weights, place, units, signs):
    """Rows s e of single entries of a node, or the same as rows of its input, and their offsets.

    The rows are a `Patch` where the node is a convolution.
    """
    node = graph[place]
    if isinstance(node.operation, Convolution):
        patch, offset = node.operation.rows(xp, weights[place], units)
        return node.inputs[0], patch.scaled(xp, signs), offset * signs
    if isinstance(node.operation, Dense) and len(node.shape) == 1:
        rows, offset = node.operation.rows(xp, weights[place], units)
        place, offset = node.inputs[0], offset * signs
    else:
        entries = xp.reshape(xp.arange(node.size), (1, -1))
        rows = xp.read(xp.equal(xp.reshape(units, (-1, 1)), entries))
        rows, offset = xp.reshape(rows, (-1, *node.shape)), 0.0
    return place, rows * xp.reshape(signs, (-1, *(1,) * (len(rows.shape) - 1))), offset


def linear_bound(xp, graph, weights, start, count: int, lines: Mapping, region):
    """Bounds of <a, z> + b for rows a of coefficients of one node z.

    Every node passes its coefficients to its inputs once all that take it have given theirs: an
    affine one the adjoint L'a, a nonlinear one those of the line below where they are positive, of
    the line above where they are negative (Zhang et al., 2018, arXiv:1811.00866). What is left is
    linear in the images, and least on the region by its dual norm.

    Args:
        start: place of z, rows a (R, *shape) or a `Patch`, offsets b (R,) or 0; from
            `difference_rows` or `unit_rows`.
        count: of the rows of each image in the region; they go through the images in their order.
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
        if isinstance(a, Patch) and not passes_windows(node, a):
            a = a.whole(xp, node.shape)
        if node.operation is None:
            if isinstance(a, Patch):
                region, a, count = a.region(xp, region, count), a.values, 1
            a = _by_image(xp, a, count)
            least, most = region.least(xp, a), None
            if high is not None:
                most = high - xp.reshape(region.least(xp, -a), (-1,))
            return low + xp.reshape(least, (-1,)), most
        step = _step_of_patch if isinstance(a, Patch) else _step
        parts, below, above = step(xp, graph, current, weights, lines, a, count)
        low, high = low + below, None if high is None or above is None else high + above
        for source, part in zip(node.inputs, parts, strict=False):
            pending[source] = _sum(xp, pending.get(source), part, graph[source].shape)
    return low, high


def passes_windows(node, patch: Patch) -> bool:
    """Whether a node passes the windows of a patch on as windows, which saves work."""
    operation = node.operation
    known = isinstance(operation, Elementwise | type(None)) or hasattr(operation, "adjoint_patch")
    return known and patch.small(node.shape)


def _step(xp, graph, place, weights, lines, a, count):
    """Coefficients for each input of a node, and the lower and the upper offset of rows `a`."""
    node = graph[place]
    if node.nonlinear:
        shape = graph[node.inputs[0]].shape
        return _bend(xp, node, lines[place], _by_image(xp, a, count), shape)
    parts, offset = node.operation.adjoint(xp, weights[place], a)
    return parts, offset, offset


def _step_of_patch(xp, graph, place, weights, lines, a, count):
    """`_step` of a `Patch`: again one."""
    node = graph[place]
    if not node.nonlinear:
        part, offset = node.operation.adjoint_patch(xp, weights[place], a)
        return (part,), offset, offset
    near = mapped(lambda line: a.of(xp, line, count), lines[place])
    parts, below, above = _bend(xp, node, near, _by_image(xp, a.values, 1), a.size)
    return [Patch(part, a.top, a.left) for part in parts], below, above


def _sum(xp, one, other, shape):
    """Coefficients that two nodes pass to the same."""
    if one is None:
        return other
    one, other = (a.whole(xp, shape) if isinstance(a, Patch) else a for a in (one, other))
    return one + other


def _by_image(xp, rows, count):
    """Rows (R, ...) as (B, count, ...)."""
    return xp.reshape(rows, (-1, count, *rows.shape[1:]))


def _bend(xp, node, lines, a, shape):
    """Of rows a (B, K, ...) the coefficients (R, *shape) for what a node takes, both offsets (R,).

    Nothing is passed on where `lines` is a box.
    """
    if len(lines) == 2:
        below, above = xp.minimum(a, 0.0), xp.maximum(a, 0.0)
        (low, high), parts = lines, ()
        ends = [pairs(xp, above, e) + pairs(xp, below, f) for e, f in ((low, high), (high, low))]
    else:
        part, *ends = node.operation.adjoint(xp, lines, a)
        parts = (xp.reshape(part, (-1, *shape)),)
    return parts, *(None if end is None else xp.reshape(end, (-1,)) for end in ends)
