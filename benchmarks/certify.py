"""Our bounds against their floor: the bare passes through the net that they must do.

python -m benchmarks.certify                     # everything
python -m benchmarks.certify --only CROWN        # one table

IBP and CROWN-IBP are those of training: compiled, in float32. CROWN is that of certificates: NumPy
in float64. The floor of intervals is two passes forward, of centres and of radii; that of linear
bounds is the transposed layers alone, for both ends of the units that stay undecided and for the
margins, nothing between them.
"""

from functools import partial

import keras
import numpy as np
from keras import ops

import robustzoo
from benchmarks.timing import finish, interleaved, options, report
from robustzoo.architectures import wong_small
from robustzoo.backend import compiled
from robustzoo.certification.arrays import FLOAT32, FLOAT64
from robustzoo.certification.bounds import Bounds
from robustzoo.certification.graph import Graph
from robustzoo.certification.intervals import interval_bounds
from robustzoo.certification.linear import difference_rows, unit_rows
from robustzoo.certification.margin_bounds import margin_bounds
from robustzoo.certification.region import Region
from robustzoo.threats import Linf

EPS, SEED = 0.002, 0
TABLES = {  # slopes of hidden units and of margins, number of images
    "IBP": (None, None, 100),
    "CROWN-IBP": (None, "adaptive", 100),
    "CROWN": ("adaptive", "adaptive", 10),
}


def main():
    given = options("bounds against the passes they consist of", 3, 1.0, only=list(TABLES))
    keras.utils.set_random_seed(SEED)
    bounds = Bounds(Graph(wong_small()))
    test = robustzoo.datasets.load("mnist").test.images
    met = True
    for name, (hidden, slope, count) in TABLES.items():
        if given.only not in (None, name):
            continue
        images = test[:count]
        whole = _margins(bounds, images, hidden, slope)
        work = {name: whole, "floor": _floor(bounds, images, hidden, slope)}
        times, results = interleaved(work, given.rounds, given.seconds)
        facts = {name: [f"{results[name].mean():.4f}"], "floor": [""]}
        title = f"{name}, {count} images, wong_small untrained, Linf {EPS}"
        met = report(title, times, "floor", facts, ("mean margin",)) and met
    finish(met)


def _margins(bounds, images, hidden, slope):
    """Class 0 against all others, from images in NumPy to bounds in NumPy."""
    labels = np.zeros(len(images), "int32")
    if hidden:

        def call():
            region = bounds.region(images, EPS)
            return bounds.margins(region, labels, bounds.boxes(region, hidden), slope)[:, 1:]

        return call

    def margins(x, labels):
        region = Region(x, ops.full_like(labels, EPS, "float32"), Linf)
        graph = bounds.graph
        boxes = interval_bounds(FLOAT32, graph, weights, region)
        return margin_bounds(FLOAT32, graph, weights, region, labels, boxes, slope)[:, 1:]

    weights, run = bounds.graph.read(FLOAT32), compiled(margins, [])
    return lambda: ops.convert_to_numpy(run(*map(ops.convert_to_tensor, (images, labels))))


def _floor(bounds, images, hidden, slope):
    graph, xp = bounds.graph, FLOAT64 if hidden else FLOAT32
    weights = graph.read(xp)
    forward = _ready(xp, lambda x: graph.forward(xp, weights, x)[-1])
    rows = _undecided(bounds, images, hidden)
    chunks, functions = [], {}
    if slope:
        rows[graph.output] = (graph[graph.output].size - 1) * len(images)
    for place, count in rows.items():
        functions[place] = _ready(xp, partial(_back, xp, graph, weights, place))
        units = np.arange(count, dtype="int32") % graph[place].size
        parts = [units[b : b + bounds.chunk] for b in range(0, count, bounds.chunk)]
        chunks += [(place, part if hidden else ops.convert_to_tensor(part)) for part in parts]

    def call():
        x = xp.read(images)
        values = [forward(x), forward(x)] + [functions[place](units) for place, units in chunks]
        return [ops.convert_to_numpy(value) for value in values]

    return call


def _ready(xp, function):
    return compiled(function, []) if xp is FLOAT32 else function


def _undecided(bounds, images, hidden):
    """{place: number of rows}: both ends of each unit that CROWN leaves undecided.

    Before its turn each was so by intervals, too: these are no more rows than CROWN computed.
    """
    if hidden is None:
        return {}
    boxes, counts = bounds.boxes(bounds.region(images, EPS), hidden), {}
    for place in bounds.graph.bent[1:]:  # the first are exact
        low, high = boxes[place]
        counts[place] = 2 * int(((low < 0) & (high > 0)).sum())
    return counts


def _back(xp, graph, weights, place, units):
    """Rows of units through the transposed layers of a chain, as if it had no activations."""
    if place == graph.output:
        current, rows, _ = difference_rows(xp, graph, place, units, units + 1)
    else:
        signs = xp.ones(units.shape, xp.dtype)
        current, rows, _ = unit_rows(xp, graph, weights, place, units, signs)
    while graph[current].operation is not None:
        if not graph[current].nonlinear:
            (rows,), _ = graph[current].operation.adjoint(xp, weights[current], rows)
        (current,) = graph[current].inputs
    return xp.sum(rows, axis=(1, 2, 3))


if __name__ == "__main__":
    main()
