"""Interval bounds."""


def next_box(xp, node, weights, boxes):
    """Bounds (low, high) of a node (not the images) from those of the nodes before it."""
    sources = [boxes[i] for i in node.inputs]
    if node.nonlinear:
        return node.operation.interval(xp, sources[0])
    return node.operation.interval(xp, weights, *sources)


def intersect(xp, box, other):
    """The common part of two boxes that hold the same point."""
    return xp.maximum(box[0], other[0]), xp.minimum(box[1], other[1])


def interval_bounds(xp, graph, weights, region, radii=None, better=None) -> list:
    """Bounds (low, high), each (B, *shape), of every node (Gowal et al., 2018, arXiv:1810.12715).

    An affine map takes the centre c and the radius r of a box to W c + b and |W| r; a monotone
    function takes both ends.

    Args:
        radii: {place: dual norms (*shape) of the rows of the linear map from the images to there};
            on a ball that is no box they bound these nodes by f(x) +- eps radius.
        better: (place, boxes up to there) -> the box of any other node, to be taken instead.
    """
    boxes, values = [region.box(xp)], None
    if radii:
        values = graph.forward(xp, weights, region.x)
    for place in range(1, len(graph)):
        boxes.append(next_box(xp, graph[place], weights[place], boxes))
        if radii and place in radii:
            eps = xp.reshape(region.eps, (-1, *(1,) * len(graph[place].shape)))
            radius = eps * radii[place]
            ball = values[place] - radius, values[place] + radius
            boxes[place] = intersect(xp, boxes[place], ball)
        elif better:
            boxes[place] = better(place, boxes)
    return boxes
