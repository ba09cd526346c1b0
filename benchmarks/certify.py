"""Our bounds against their floor: the bare passes through the net that they must do.

python -m benchmarks.certify                     # everything
python -m benchmarks.certify --only CROWN        # one table
python -m benchmarks.certify --images 4          # a rehearsal

IBP and CROWN-IBP are those of training: compiled, in float32. CROWN is that of certificates: NumPy
in float64. The floor of intervals is two passes forward, of centres and of radii; that of linear
bounds is the transposed layers alone, for the units that intervals leave undecided and for the
margins, nothing between them; rows of a convolution's units are windows there, too. CROWN must not
compute more rows than those: they are counted. Its memory is the peak of a process of its own, on
the large net with random weights.
"""

import json
import resource
import subprocess
import sys
from functools import partial

import keras
import numpy as np
from keras import ops

import robustzoo
from benchmarks.timing import finish, interleaved, options, report
from robustzoo.architectures import wong_large
from robustzoo.backend import compiled
from robustzoo.certification.arrays import FLOAT32, FLOAT64
from robustzoo.certification.bounds import Bounds
from robustzoo.certification.graph import Graph
from robustzoo.certification.intervals import interval_bounds, next_box
from robustzoo.certification.linear import difference_rows, passes_windows, unit_rows
from robustzoo.certification.margin_bounds import margin_bounds
from robustzoo.certification.patch import Patch
from robustzoo.certification.region import Region
from robustzoo.datasets import Split
from robustzoo.threats import Linf

MODEL, EPS, IMAGES, SEED = "wong-kolter-mnist", 0.1, 100, 0
LARGE_EPS, LARGE_IMAGES = 0.00001, 5  # of the large net: rows enough to fill many chunks
TABLES = {  # slopes of hidden units and of margins
    "IBP": (None, None),
    "CROWN-IBP": (None, "adaptive"),
    "CROWN": ("adaptive", "adaptive"),
}
GIB = 2**30
MEMORY = 4 * GIB  # bytes that CROWN may take on the large net, everything imported included


def main():
    given = options(
        "bounds against the passes they consist of", 3, 1.0, [*TABLES, "memory"], images=IMAGES
    )
    met = True
    for name, slopes in TABLES.items():
        if given.only in (None, name):
            met = _table(name, slopes, given) and met
    if given.only in (None, "memory"):
        met = _memory(min(given.images, LARGE_IMAGES)) and met
    finish(met)


def _table(name, slopes, given):
    """Prints the times of one method; whether they, and its rows, are no more than they may be."""
    bounds = Counted(Graph(robustzoo.load(MODEL)))
    test = robustzoo.datasets.load("mnist").test.take(slice(given.images))
    whole, must = _margins(bounds, test, *slopes), _rows_needed(bounds, test.images, *slopes)
    work = {name: whole, "floor": _floor(bounds, test.images, must, slopes[0])}
    times, results = interleaved(work, given.rounds, given.seconds)
    counted = _counted(bounds, whole) if slopes[0] else must
    facts = {name: [f"{_mean(results[name]):.4f}", f"{sum(counted.values()):,}"]}
    facts["floor"] = ["", f"{sum(must.values()):,}"]
    title = f"{name}, {given.images} images, {MODEL}, Linf {EPS}"
    return report(title, times, "floor", facts, ("mean margin", "rows")) and counted == must


class Counted(Bounds):
    """Counts the rows that are bounded, by place."""

    def __init__(self, graph):
        super().__init__(graph)
        self.counts = {}

    def _rows(self, place, rows, lines, region):
        self.counts[place] = self.counts.get(place, 0) + len(rows[0])
        return super()._rows(place, rows, lines, region)


def _counted(bounds, call):
    bounds.counts = {}
    call()
    return bounds.counts


def _margins(bounds, test, hidden, slope, eps=EPS):
    """All margins, from images in NumPy to bounds in NumPy."""
    if hidden:

        def call():
            region = bounds.region(test.images, eps)
            return bounds.margins(region, test.labels, bounds.boxes(region, hidden), slope)

        return call

    def margins(x, labels):
        region = Region(x, ops.full_like(labels, eps, "float32"), Linf)
        boxes = interval_bounds(FLOAT32, bounds.graph, weights, region)
        return margin_bounds(FLOAT32, bounds.graph, weights, region, labels, boxes, slope)

    weights, run = bounds.graph.read(FLOAT32), compiled(margins, [])
    given = test.images, test.labels
    return lambda: ops.convert_to_numpy(run(*map(ops.convert_to_tensor, given)))


def _mean(margins):
    """Of the margins over other classes; that over the own one is 0 or infinite."""
    others = np.where(np.isfinite(margins), margins, 0.0)
    return others.sum() / (others.size - len(others))


def _rows_needed(bounds, images, hidden, slope):
    """{place: rows}: both ends of each unit that intervals leave undecided, and the margins.

    The interval of a node comes from the bounds of those before it, as they are in the end.
    """
    graph, counts = bounds.graph, {}
    if hidden:
        boxes = bounds.boxes(bounds.region(images, EPS), hidden)
        for place in graph.bent[1:]:  # the first are exact
            low, high = next_box(FLOAT64, graph[place], bounds.weights[place], boxes)
            counts[place] = 2 * int(((low < 0) & (high > 0)).sum())
    if slope:
        counts[graph.output] = (graph[graph.output].size - 1) * len(images)
    return {place: count for place, count in counts.items() if count}


def _floor(bounds, images, rows, hidden):
    """The passes through the net alone: two forward, and `rows` of each node back."""
    graph, xp = bounds.graph, FLOAT64 if hidden else FLOAT32
    weights, chunks, functions = graph.read(xp), [], {}
    forward = _ready(xp, lambda x: graph.forward(xp, weights, x)[-1])
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


def _back(xp, graph, weights, place, units):
    """Rows of units through the transposed layers of a chain, as if it had no activations."""
    if place == graph.output:
        current, rows, _ = difference_rows(xp, graph, place, units, units + 1)
    else:
        signs = xp.ones(units.shape, xp.dtype)
        current, rows, _ = unit_rows(xp, graph, weights, place, units, signs)
    while graph[current].operation is not None:
        node, operation = graph[current], graph[current].operation
        if isinstance(rows, Patch) and not passes_windows(node, rows):
            rows = rows.whole(xp, node.shape)
        if isinstance(rows, Patch) and not node.nonlinear:
            rows, _ = operation.adjoint_patch(xp, weights[current], rows)
        elif not node.nonlinear:
            (rows,), _ = operation.adjoint(xp, weights[current], rows)
        (current,) = node.inputs
    return xp.sum(rows.values if isinstance(rows, Patch) else rows, axis=(1, 2, 3))


def _memory(count):
    """Prints the most memory that CROWN took on the large net; whether it is below the limit."""
    command = f"from benchmarks.certify import large; large({count})"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"CROWN on the large net failed: {done.stderr[-2000:]}")
    found = json.loads(done.stdout.splitlines()[-1])
    print(
        f"CROWN, {count} images of noise, wong_large untrained, Linf {LARGE_EPS}, "
        f"{found['rows']:,} rows in chunks of {found['chunk']}: "
        f"peak {found['peak'] / GIB:.2f} GiB of the process, "
        f"{found['before'] / GIB:.2f} before it <= {MEMORY / GIB:.0f}"
    )
    return found["peak"] <= MEMORY


def large(count):
    """Bounds margins of the large net by CROWN, and prints the memory of this process."""
    keras.utils.set_random_seed(SEED)
    bounds = Counted(Graph(wong_large()))
    # Of noise: on the black of MNIST every unit of a net without biases is 0, and so undecided.
    pixels = np.random.default_rng(SEED).integers(0, 256, (count, 28, 28, 1), "uint8")
    test, before = Split(pixels, np.zeros(count, "int32")), _peak()
    call = _margins(bounds, test, "adaptive", "adaptive", LARGE_EPS)
    found = {"rows": sum(_counted(bounds, call).values()), "chunk": bounds.chunk}
    print(json.dumps(found | {"before": before, "peak": _peak()}))


def _peak():
    """Most bytes of memory that this process held so far."""
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main()
