"""What a bound must hold for: random points, corners, and the worst that gradient descent finds."""

import itertools

import numpy as np
from keras import ops

from robustzoo.backend import compiled, input_gradient
from robustzoo.certification.arrays import FLOAT64
from robustzoo.threats import L1, L2, Linf

STEPS, RESTARTS = 20, 3


def points(threat, x, clip, count, seed=0):
    """Images of the region around one image x (H, W, C), most of them at its edge, float64."""
    generator = np.random.default_rng(seed)
    d = generator.normal(size=(count, *x.shape))
    if isinstance(threat, Linf):
        d = np.where(generator.uniform(size=d.shape) < 0.8, np.sign(d), np.tanh(d))
    if isinstance(threat, L1):  # sparse, down to single pixels
        d = d * (generator.uniform(size=d.shape) < generator.uniform(size=(count, 1, 1, 1)) ** 2)
    size = {
        Linf: lambda v: np.abs(v).max(1),
        L2: lambda v: np.sqrt((v**2).sum(1)),
        L1: lambda v: np.abs(v).sum(1),
    }
    length = size[type(threat)](d.reshape(count, -1)).reshape(-1, 1, 1, 1)
    z = x + threat.eps * d / np.maximum(length, 1e-12)
    return z.clip(0, 1) if clip else z


def corners(x, eps):
    """All corners of the clipped box around one image of at most 15 pixels, float64."""
    signs = np.array(list(itertools.product((-1, 1), repeat=x.size))).reshape(-1, *x.shape)
    return (x + eps * signs).clip(0, 1)


def some_corners(x, eps, count, seed=0):
    """So many corners, drawn at random, of the clipped box around one image, float64."""
    signs = np.random.default_rng(seed).choice((-1.0, 1.0), size=(count, *x.shape))
    return (x + eps * signs).clip(0, 1)


def vertices(threat, x, clip):
    """All x +- eps e_i around one image x (H, W, C), float64: the corners of an L1 ball."""
    d = threat.eps * np.eye(x.size).reshape(-1, *x.shape)
    z = np.concatenate([x + d, x - d])
    return z.clip(0, 1) if clip else z


def attacked(model, threat, x, label):
    """{clip: images found by projected gradient descent on z_y - z_j}, for every j and start."""
    classes = model.output_shape[-1]
    others = np.tile(np.repeat([j for j in range(classes) if j != label], RESTARTS), 2)
    rows = np.eye(classes, dtype="float32")[label] - np.eye(classes, dtype="float32")[others]
    center = ops.convert_to_tensor(np.repeat(x[None], len(others), 0))
    clipped = np.arange(len(others)).reshape(-1, 1, 1, 1) < len(others) // 2

    def descend(z):
        gradient = input_gradient(lambda v: (-ops.sum(model(v) * rows, axis=-1), ()), z)[2]
        z = z + threat.eps / 5 * threat.steepest(gradient)
        beyond = ops.reshape(threat.distance(z, center), (-1, 1, 1, 1)) / threat.eps
        free = center + (z - center) / ops.maximum(beyond, 1.0)
        return ops.where(clipped, threat.project(z, center), free)

    step, z = compiled(descend, []), threat.random_start(center, 0)
    for _ in range(STEPS):
        z = step(z)
    return dict(zip((True, False), np.split(ops.convert_to_numpy(z), 2), strict=True))


def least_margins(graph, label, z):
    """The least z_y - z_j of any point z (N, H, W, C), (classes,)."""
    logits = graph.forward(FLOAT64, graph.read(FLOAT64), np.asarray(z, "float64"))[-1]
    return (logits[:, [label]] - logits).min(axis=0)


def assert_below(bound, real, label, tolerance=1e-9):
    """No lower `bound` (classes,) is above a real margin."""
    other = np.arange(len(bound)) != label
    assert (bound[other] <= real[other] + tolerance).all(), (bound, real)


def assert_margins_hold(graph, bound, label, z, tolerance=1e-9):
    """No point z (N, H, W, C) has a smaller margin than its lower `bound` (classes,)."""
    assert_below(bound, least_margins(graph, label, z), label, tolerance)


def assert_boxes_hold(graph, boxes, place, z, tolerance=1e-9):
    """The values of every node at points z lie in the boxes of the image at `place`."""
    values = graph.forward(FLOAT64, graph.read(FLOAT64), np.asarray(z, "float64"))
    for node, value, box in zip(graph.nodes, values, boxes, strict=True):
        low, high = (ops.convert_to_numpy(end)[place] for end in box)
        assert (low <= value + tolerance).all() and (value <= high + tolerance).all(), node.name
