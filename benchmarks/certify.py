"""Our bounds against their floor: the bare passes through the net that they must do.

python -m benchmarks.certify                     # everything
python -m benchmarks.certify --only CROWN        # one table

The floor of intervals is two passes forward, of centres and of radii; that of linear bounds is the
transposed layers alone, for as many rows as there are undecided units, nothing between them.
"""

import keras
import numpy as np
from keras import ops

import robustzoo
from benchmarks.timing import finish, interleaved, options, report
from robustzoo.architectures import wong_small
from robustzoo.backend import compiled
from robustzoo.certification.arrays import FLOAT32
from robustzoo.certification.bounds import Bounds
from robustzoo.certification.graph import Graph
from robustzoo.certification.intervals import interval_bounds
from robustzoo.certification.linear import difference_rows, unit_rows
from robustzoo.certification.margin_bounds import margin_bounds
from robustzoo.certification.region import Region
from robustzoo.threats import Linf

IMAGES, EPS, SEED = 100, 0.002, 0
TABLES = {"IBP": (None, None), "CROWN-IBP": (None, "adaptive"), "CROWN": ("adaptive", "adaptive")}


def main():
    given = options("bounds against the passes they consist of", 3, 1.0, only=list(TABLES))
    keras.utils.set_random_seed(SEED)
    bounds = Bounds(Graph(wong_small()), FLOAT32)
    images = robustzoo.datasets.load("mnist").test.images[:IMAGES]
    met = True
    for name, (hidden, slope) in TABLES.items():
        if given.only not in (None, name):
            continue
        whole = _margins(bounds, images, hidden, slope)
        work = {name: whole, "floor": _floor(bounds, images, hidden, slope)}
        times, results = interleaved(work, given.rounds, given.seconds)
        facts = {name: [f"{results[name].mean():.4f}"], "floor": [""]}
        title = f"{name}, {IMAGES} images, wong_small untrained, Linf {EPS}"
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
        graph, weights = bounds.graph, bounds.weights
        boxes = interval_bounds(FLOAT32, graph, weights, region)
        return margin_bounds(FLOAT32, graph, weights, region, labels, boxes, slope)[:, 1:]

    run = compiled(margins, [])
    return lambda: ops.convert_to_numpy(run(*map(ops.convert_to_tensor, (images, labels))))


def _floor(bounds, images, hidden, slope):
    graph = bounds.graph
    forward = compiled(lambda x: graph.forward(FLOAT32, bounds.weights, x)[-1], [])
    rows = _undecided(bounds, images, hidden)
    chunks, functions = [], {}
    if slope:
        rows[graph.output] = (graph[graph.output].size - 1) * len(images)
    for place, count in rows.items():
        functions[place] = compiled(lambda units, place=place: _back(bounds, place, units), [])
        units = np.arange(count) % graph[place].size
        chunks += [
            (place, ops.convert_to_tensor(units[b : b + bounds.chunk].astype("int32")))
            for b in range(0, count, bounds.chunk)
        ]

    def call():
        x = ops.convert_to_tensor(images)
        values = [forward(x), forward(x)] + [functions[place](units) for place, units in chunks]
        return [ops.convert_to_numpy(value) for value in values]

    return call


def _undecided(bounds, images, hidden):
    """{place: number of rows}: both ends of each unit that intervals leave undecided."""
    if hidden is None:
        return {}
    region, counts = bounds.region(images, EPS), {}
    boxes = bounds.boxes(region, hidden)
    for place in bounds.graph.bent[1:]:  # the first are exact
        low, high = (ops.convert_to_numpy(end) for end in boxes[place])
        counts[place] = 2 * int(((low < 0) & (high > 0)).sum())
    return counts


def _back(bounds, place, units):
    """Rows of units through the transposed layers of a chain, as if it had no activations."""
    graph, weights = bounds.graph, bounds.weights
    if place == graph.output:
        current, rows, _ = difference_rows(FLOAT32, graph, place, units, units + 1)
    else:
        signs = ops.ones_like(units, "float32")
        current, rows, _ = unit_rows(FLOAT32, graph, weights, place, units, signs)
    while graph[current].operation is not None:
        if not graph[current].nonlinear:
            (rows,), _ = graph[current].operation.adjoint(FLOAT32, weights[current], rows)
        (current,) = graph[current].inputs
    return ops.sum(rows, axis=(1, 2, 3))


if __name__ == "__main__":
    main()
