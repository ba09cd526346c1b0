"""What bounds are equal to, and which of them must not be above which."""

import functools
import tracemalloc

import keras
import numpy as np
import pytest
from keras import layers

from robustzoo.architectures import wong_small
from robustzoo.backend import compiled, weight_gradient
from robustzoo.certification import METHODS
from robustzoo.certification.arrays import FLOAT32, FLOAT64
from robustzoo.certification.bounds import Bounds, groups
from robustzoo.certification.certifier import Certifier
from robustzoo.certification.dual_bounds import affordable
from robustzoo.certification.graph import Graph
from robustzoo.certification.intervals import interval_bounds, next_box
from robustzoo.certification.linear import linear_bound, lines_of, unit_rows
from robustzoo.certification.margin_bounds import margin_bounds
from robustzoo.certification.region import Region
from robustzoo.threats import L1, L2, Linf
from tests.certification.dense_reference import convolution_matrix, hidden_bounds, margins
from tests.certification.nets import (
    CLASSES,
    NETS,
    SHAPE,
    chain,
    images,
    logits,
    randomised,
    residual,
)
from tests.certification.soundness import points
from tests.certification.wong_kolter_dual import dual_margins

SLOPES = [m for m in METHODS.values() if not m.program and m.slope != "optimised"]
NORMS = {"linf": (Linf, 0.08), "l2": (L2, 0.4), "l1": (L1, 0.9)}


def matrices(model):
    """{(k, j): W_kj} and b_k of `chain` and `residual`, for the dense reference."""
    convolutions = [layer for layer in model.layers if isinstance(layer, layers.Conv2D)]
    same = {(3, 2): ((0, 1), (1, 1)), (3, 1): ((1, 1), (1, 1)), (2, 1): ((0, 0), (0, 0))}
    weights, biases, shape = {}, {}, SHAPE
    for k, layer in enumerate(convolutions, 1):
        kernel, *bias = (np.array(w, "float64") for w in layer.get_weights())
        geometry = layer.kernel_size[0], layer.strides[0]
        found = convolution_matrix(
            kernel, bias[0] if bias else 0.0, shape, geometry[1], same[geometry]
        )
        weights[k, k - 1], biases[k], shape = found
    if any(isinstance(layer, layers.Add) for layer in model.layers):
        weights[3, 1] = np.eye(len(biases[3]))
    for layer in model.layers:
        if isinstance(layer, layers.Dense):
            k = len(biases) + 1
            kernel, bias = (np.array(w, "float64") for w in layer.get_weights())
            weights[k, k - 1], biases[k] = kernel.T, bias
    return weights, biases


def scenes(net, norm):
    """Yields bounds, images, labels, eps, a method, and what the dense reference takes of each."""
    model = net()
    weights, biases = matrices(model)
    x, y = images(model, 3)
    kind, eps = NORMS[norm]
    for clip in (True, False):
        given = [(weights, biases, z.ravel().astype("float64"), eps, norm, clip) for z in x]
        bounds = Bounds(Graph(model), kind, clip)
        for method in SLOPES:
            yield bounds, x, y, eps, method, given


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("net", [chain, residual])
def test_equal_dense_matrices(net, norm):
    for bounds, x, y, eps, method, given in scenes(net, norm):
        region = bounds.region(x, eps)
        ours = bounds.margins(region, y, bounds.boxes(region, method.hidden), method.slope)
        for i, dense in enumerate(given):
            theirs = margins(*dense, y[i], method.hidden, method.slope)
            other = np.arange(CLASSES) != y[i]
            np.testing.assert_allclose(ours[i][other], theirs[other], 1e-10, 1e-10)


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("net", [chain, residual])
def test_hidden_bounds_equal_dense_matrices(net, norm):
    """In float64 to 1e-10, by the backend in float32 to 1e-4 of the largest, margins as well."""
    for bounds, x, y, eps, method, given in scenes(net, norm):
        ours = bounds.boxes(bounds.region(x, eps), method.hidden)
        single, low = in_float32(bounds, x, y, eps, method)
        for i, dense in enumerate(given):
            theirs = hidden_bounds(*dense, method.hidden)
            for k, place in enumerate(bounds.graph.bent, 1):
                for end in (0, 1):
                    exact = theirs[end][k]
                    np.testing.assert_allclose(ours[place][end][i].ravel(), exact, 1e-10, 1e-10)
                    assert_close(single[place][end][i].ravel(), exact)
            other = np.arange(CLASSES) != y[i]
            exact = margins(*dense, y[i], method.hidden, method.slope)
            assert_close(low[i][other], exact[other])


def assert_close(found, exact):
    assert np.abs(found - exact).max() <= 1e-4 * np.abs(exact).max()


def in_float32(bounds, x, y, eps, method):
    """Boxes and margins as those of `bounds`, from the same functions by the backend."""
    xp, graph = FLOAT32, bounds.graph
    weights = graph.read(xp)
    region = Region(xp.read(x), xp.read([eps] * len(x)), bounds.norm, bounds.clip)

    def better(place, boxes):
        if method.hidden is None or not bounds._undecided(place):
            return boxes[place]
        units = keras.ops.convert_to_tensor(np.tile(np.arange(graph[place].size), len(x)), "int32")
        lines = lines_of(xp, graph, boxes, method.hidden, place)

        def least(sign):
            start = unit_rows(xp, graph, weights, place, units, sign * xp.ones(units.shape))
            found, _ = linear_bound(xp, graph, weights, start, graph[place].size, lines, region)
            return xp.reshape(found, (-1, *graph[place].shape))

        (low, high), ends = boxes[place], (least(1.0), -least(-1.0))
        asked = (low < 0) & (high > 0)
        tight = xp.maximum(low, ends[0]), xp.minimum(high, ends[1])
        return xp.where(asked, tight[0], low), xp.where(asked, tight[1], high)

    radii = {place: xp.read(radius) for place, radius in bounds.radii.items()}
    boxes = interval_bounds(xp, graph, weights, region, radii, better)
    labels = keras.ops.convert_to_tensor(y.astype("int32"))
    found = margin_bounds(xp, graph, weights, region, labels, boxes, method.slope)
    numpy = keras.ops.convert_to_numpy
    return [tuple(map(numpy, box)) for box in boxes], numpy(found)


@pytest.mark.parametrize("name", NETS)
def test_eps_0_gives_the_logits(name):
    model = NETS[name]()
    x, y = images(model)
    z = logits(model, x)
    for norm in (Linf, L2, L1):
        certifier = Certifier(model, norm)
        for method in ("ibp", "crown-ibp", "wong-kolter", "crown"):
            bound = certifier.margins(method, x, y, 0.0)
            own = z[np.arange(3), y][:, None] - z
            other = np.isfinite(bound)
            np.testing.assert_allclose(bound[other], own[other], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("norm", NORMS)
def test_a_linear_net_has_its_exact_minimum(norm):
    model = randomised(
        keras.Sequential([keras.Input(SHAPE), layers.Flatten(), layers.Dense(CLASSES)])
    )
    kind, eps = NORMS[norm]
    x, y = images(model)
    kernel, bias = (w.astype("float64") for w in model.get_weights())
    rows = (kernel[:, y][:, :, None] - kernel[:, None]).transpose(1, 2, 0)  # (B, classes, pixels)
    center = np.einsum("bcp,bp->bc", rows, x.reshape(3, -1).astype("float64"))
    dual = {
        "linf": np.abs(rows).sum(2),
        "l2": np.linalg.norm(rows, axis=2),
        "l1": np.abs(rows).max(2),
    }
    exact = center + bias[y][:, None] - bias - eps * dual[norm]
    certifier = Certifier(model, kind, clip=False)
    for method in ("ibp", "crown-ibp", "wong-kolter", "crown"):
        bound = certifier.margins(method, x, y, eps)
        other = np.isfinite(bound)
        np.testing.assert_allclose(bound[other], exact[other], rtol=1e-10)


@pytest.mark.parametrize("clip", [True, False])
def test_one_slope_for_both_lines_is_the_dual_of_wong_and_kolter(clip):
    """Without intervals, which that does not know: every hidden unit is bounded by lines."""
    model = chain()
    x, y = images(model)
    weights, biases = matrices(model)
    net = [(weights[k, k - 1], biases[k]) for k in sorted(biases)]
    bounds = Bounds(Graph(model), Linf, clip)
    for eps in (0.05, 0.3):
        region = bounds.region(x, eps)
        boxes = boxes_by_lines_alone(bounds, region, "same")
        found = bounds.margins(region, y, boxes, "same")
        for i in range(3):
            pixels = [end[i].ravel() for end in region.box(FLOAT64)]
            dual, hidden = dual_margins(net, pixels, y[i])
            for place, box in zip(bounds.graph.bent, hidden, strict=True):
                own = [end[i].ravel() for end in boxes[place]]
                np.testing.assert_allclose(own, box, rtol=1e-9, atol=1e-9)
            other = np.arange(CLASSES) != y[i]
            np.testing.assert_allclose(found[i][other], dual[other], rtol=1e-9, atol=1e-9)
    usual = bounds.margins(region, y, bounds.boxes(region, "same"), "same")
    assert not np.allclose(found, usual, atol=0.01)  # on balls so large intervals do matter


def boxes_by_lines_alone(bounds, region, slope):
    """The boxes of `bounds`, of all units of all images and without what intervals say of them."""
    graph, count = bounds.graph, len(region.x)

    def better(place, boxes):
        if place not in graph.bent:
            return boxes[place]
        units = np.tile(np.arange(graph[place].size), count)
        image = np.repeat(np.arange(count), graph[place].size)
        ends = bounds._ends(place, units, image, boxes, region, slope)
        return tuple(end.reshape(-1, *graph[place].shape) for end in ends)

    return interval_bounds(FLOAT64, graph, bounds.weights, region, better=better)


@pytest.mark.parametrize("name", NETS)
def test_intervals_of_a_margin_are_no_worse_than_those_of_its_logits(name):
    model, gains = NETS[name](), []
    x, y = images(model)
    for norm, eps in NORMS.values():
        for clip in (True, False):
            certifier = Certifier(model, norm, clip)
            low, high = certifier.bounds.boxes(certifier.bounds.region(x, eps))[-1]
            apart = low[np.arange(3), y][:, None] - high
            other = np.arange(apart.shape[1]) != y[:, None]
            gains.append((certifier.margins("ibp", x, y, eps) - apart)[other])
    assert np.min(gains) >= -1e-9 and np.max(gains) > 0.1


@pytest.mark.parametrize("norm", [Linf, L2])
@pytest.mark.parametrize("name", ["residual", "pools"])
def test_do_not_depend_on_the_batch_or_the_memory(name, norm):
    model = NETS[name]()
    x, y = images(model, 7)
    for method in ("ibp", "crown-ibp", "wong-kolter", "crown"):
        assert_alone_as_together(model, norm, method, x, y, 1e-12)


def test_searched_slopes_do_not_depend_on_the_batch_or_the_memory():
    """But for the rounding of their search, which is in float32."""
    model = residual()
    x, y = images(model, 3)
    crown = Certifier(model, L2).margins("crown", x, y, 0.4)
    found = assert_alone_as_together(model, L2, "alpha-crown", x, y, 1e-3)
    other = np.isfinite(crown)
    assert (found[other] > crown[other] + 0.05).any()


def assert_alone_as_together(model, norm, method, x, y, tolerance):
    """An image at a time, or a row of coefficients; returns the margins."""
    whole, tight = Certifier(model, norm), Certifier(model, norm, memory=1)
    eps = 0.05 if norm is Linf else 0.4
    together = whole.margins(method, x, y, eps)
    alone = [whole.margins(method, x[i : i + 1], y[i : i + 1], eps) for i in range(len(x))]
    np.testing.assert_allclose(np.concatenate(alone), together, rtol=tolerance)
    np.testing.assert_allclose(tight.margins(method, x, y, eps), together, rtol=tolerance)
    return together


@pytest.mark.parametrize("net", [chain, residual])
def test_only_units_that_intervals_leave_undecided_get_rows(net, monkeypatch):
    model, counts, rows = net(), {}, Bounds._rows
    x, _ = images(model, 7)
    bounds = Bounds(Graph(model), Linf)

    def counted(self, place, given, *rest):
        counts[place] = len(given[0])
        return rows(self, place, given, *rest)

    monkeypatch.setattr(Bounds, "_rows", counted)
    boxes = bounds.boxes(bounds.region(x, 0.02), "same")
    for place in bounds.graph.bent[1:]:  # intervals of the first are exact
        node, weights = bounds.graph[place], bounds.weights[place]
        low, high = next_box(FLOAT64, node, weights, boxes)
        assert 0 < counts.pop(place) == ((low < 0) & (high > 0)).sum() < 7 * node.size
    assert not counts


def test_rows_are_grouped_by_how_many_an_image_has():
    image = np.repeat([0, 1, 3, 4, 5], [2, 2, 2, 7, 1])
    found = [(rows.start, rows.stop, [*images], count) for rows, images, count in groups(image, 5)]
    assert found == [
        (0, 4, [0, 1], 2),
        (4, 6, [3], 2),
        (6, 11, [4], 5),
        (11, 13, [4], 2),
        (13, 14, [5], 1),
    ]


@pytest.mark.parametrize("size", [2, 9])
def test_rows_take_no_more_memory_than_they_may(size):
    """Whatever the kernels: what a transposed convolution spreads over their taps counts, too."""
    parts = [layers.Conv2D(4, size, padding="same", activation="relu") for _ in range(2)]
    pools = layers.MaxPooling2D(size), layers.DepthwiseConv2D(size, padding="same")
    for net in (parts, [parts[0], *pools]):
        model = randomised(
            keras.Sequential(
                [keras.Input((18, 18, 3)), *net, layers.Flatten(), layers.Dense(CLASSES)]
            )
        )
        x, y = images(model, 2)
        memory = 2**23
        bounds = Bounds(Graph(model), Linf, memory=memory)
        region = bounds.region(x, 0.05)
        boxes = bounds.boxes(region)
        lines = lines_of(FLOAT64, bounds.graph, boxes, "adaptive", bounds.graph.output)
        beside = 4 * sum(
            part.nbytes for line in lines.values() for part in line if part is not None
        )
        tracemalloc.start()
        try:
            bounds.margins(region, y, bounds.boxes(region, "adaptive"), "adaptive")
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert bounds.chunk > 1 and peak <= memory + beside


def test_the_search_for_slopes_takes_no_more_memory_than_it_may():
    """It holds the boxes, lines and slopes of all layers, here eight alike, once per margin."""
    parts = [layers.Conv2D(4, 3, padding="same", activation="relu") for _ in range(8)]
    model = randomised(
        keras.Sequential([keras.Input((12, 12, 2)), *parts, layers.Flatten(), layers.Dense(9)])
    )
    x, y = images(model, 6)
    memory = 2**22
    certifier = Certifier(model, Linf, memory=memory)
    region = certifier.bounds.region(x, 0.001)
    boxes = certifier.bounds.boxes(region)
    pairs = np.nonzero(np.arange(9) != y[:, None])
    certifier._optimised(region, y, boxes, pairs)  # compiles
    tracemalloc.start()
    try:
        certifier._optimised(region, y, boxes, pairs)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert 1 < certifier.bounds.chunk_of_all < certifier.bounds.chunk and peak <= memory


@pytest.mark.parametrize("name", ["chain", "residual", "normalised", "pools"])
def test_orders_that_are_theorems(name):
    """Clean >= MILP >= LP >= best slopes >= CROWN, of the same hidden bounds; zero slope >= IBP."""
    model = NETS[name]()
    x, y = images(model, 2)
    for threat in (Linf(0.05), L1(0.5)):
        certifier = Certifier(model, type(threat))
        bounds = [programs(certifier, x, y, threat.eps, "adaptive", e) for e in (True, False)]
        names = ("alpha-crown", "crown") if threat.eps < 0.1 else ("crown",)
        bounds += [certifier.margins(method, x, y, threat.eps) for method in names]
        clean = certifier.logits(x)
        bounds.insert(0, clean[np.arange(2), y][:, None] - clean)
        for above, below in zip(bounds, bounds[1:], strict=False):
            other = np.isfinite(below)
            assert (below[other] <= above[other] + 1e-5).all()
        zero, interval = (certifier.margins(m, x, y, threat.eps) for m in ("crown-ibp-zero", "ibp"))
        other = np.isfinite(zero)
        if name != "pools" and threat.eps < 0.1:  # the theorem is of ReLU nets and boxes
            assert (interval[other] <= zero[other] + 1e-9).all()


def programs(certifier, x, y, eps, hidden, exact=False):
    """Margins by a program alone, over intervals, or over bounds by lines of slope `hidden`."""
    region = certifier.bounds.region(x, eps)
    margins = np.full((len(y), CLASSES), np.inf)
    pairs = np.nonzero(np.arange(CLASSES) != y[:, None])
    boxes = certifier.bounds.boxes(region, hidden)
    margins[pairs] = certifier._programs(region, y, boxes, exact, pairs)
    return margins


def test_a_program_without_time_gives_the_linear_bound_of_the_same_boxes():
    model = residual()
    x, y = images(model, 2)
    for norm, eps in ((Linf, 0.05), (L1, 0.5)):
        certifier = Certifier(model, norm, seconds=1e-9)
        expected = certifier.margins("crown", x, y, eps)
        other = np.isfinite(expected)
        for exact, method in enumerate(("lp", "milp")):
            found = programs(certifier, x, y, eps, "adaptive", bool(exact))
            assert (found[other] == -np.inf).all()
            np.testing.assert_array_equal(certifier.margins(method, x, y, eps), expected)


@pytest.mark.parametrize("name", ["chain", "residual", "normalised", "pools"])
def test_linear_programs_are_no_worse_than_intervals_and_shrink_with_the_region(name):
    """LP on tighter hidden bounds >= LP on intervals >= IBP; all of them fall where eps grows."""
    model = NETS[name]()
    x, y = images(model, 2)
    certifier, before = Certifier(model, Linf), None
    for eps in (0.01, 0.04, 0.1):
        region = certifier.bounds.region(x, eps)
        boxes = [certifier.bounds.boxes(region, hidden) for hidden in (None, "adaptive")]
        for wide, tight in zip(*boxes, strict=True):
            assert (tight[0] >= wide[0] - 1e-12).all() and (tight[1] <= wide[1] + 1e-12).all()
        interval = certifier.margins("ibp", x, y, eps)
        loose, exact = programs(certifier, x, y, eps, None), certifier.margins("milp", x, y, eps)
        other = np.isfinite(interval)
        assert (interval[other] <= loose[other] + 1e-6).all()
        assert (loose[other] <= programs(certifier, x, y, eps, "adaptive")[other] + 1e-6).all()
        if before:
            for now, then in zip((interval, loose, exact), before[0], strict=True):
                assert (now[other] <= then[other] + 1e-5).all()
            for (low, high), (below, above) in zip(boxes[0], before[1], strict=True):
                assert (low <= below + 1e-12).all() and (high >= above - 1e-12).all()
        before = (interval, loose, exact), boxes[0]


def test_the_exact_minimum_is_reached():
    """Ground truth: minima of nets of two pixels, found on a fine grid."""
    line = np.linspace(0.1, 0.9, 161)
    grid = np.stack(np.meshgrid(line, line), -1).reshape(-1, 1, 2, 1)
    x, y, gaps = np.full((1, 1, 2, 1), 0.5, "float32"), np.array([0]), []
    dense = [layers.Dense(8, activation="relu") for _ in range(2)]
    net = keras.Sequential(
        [keras.Input((1, 2, 1)), layers.Rescaling(5.0), layers.Flatten(), *dense, layers.Dense(2)]
    )
    for seed in range(5):
        certifier = Certifier(randomised(net, seed), Linf)
        z = certifier.logits(grid)
        found = (z[:, 0] - z[:, 1]).min()
        exact, relaxed = (certifier.margins(m, x, y, 0.4)[0, 1] for m in ("milp", "lp"))
        assert exact <= found + 1e-6
        gaps.append((found - exact, found - relaxed))
    exact, relaxed = np.sum(gaps, axis=0)
    assert exact < 0.1 * relaxed


@pytest.mark.parametrize("unit", [1.0, 1e-6, 1e-10])
def test_the_exact_minimum_does_not_depend_on_the_units_of_a_layer(unit):
    """Units divided by what their consumer is multiplied by; a solver has absolute tolerances."""
    generator = np.random.default_rng(3)
    shapes = (4, 4), (4, 4), (4, 2)
    kernels = [generator.normal(size=shape) for shape in shapes]
    dense = [layers.Dense(4, activation="relu") for _ in range(2)]
    net = keras.Sequential([keras.Input((2, 2, 1)), layers.Flatten(), *dense, layers.Dense(2)])
    first, second, last = kernels
    biases = -unit * first.sum(0) / 2, generator.normal(size=4) / 10, np.zeros(2)
    kernels = first * unit, second / unit, last
    net.set_weights([w for pair in zip(kernels, biases, strict=True) for w in pair])
    x = generator.uniform(0.3, 0.7, (3, 2, 2, 1)).astype("float32")
    certifier = Certifier(net, Linf)
    exact = certifier.logits(x)
    y = exact.argmax(1)
    here = [certifier.margins("milp", x, y, 0.0)[i, 1 - label] for i, label in enumerate(y)]
    np.testing.assert_allclose(here, np.abs(exact[:, 0] - exact[:, 1]), rtol=1e-4)
    for image, label in zip(x, y, strict=True):
        found = certifier.margins("milp", image[None], [label], 0.25)[0, 1 - label]
        z = certifier.logits(points(Linf(0.25), image.astype("float64"), True, 2000))
        assert found <= (z[:, label] - z[:, 1 - label]).min() + 1e-5


@pytest.mark.parametrize("name", ["residual", "pools"])
def test_margins_of_one_pass_and_their_gradient(name):
    """The pure function gives the same bounds; its gradient agrees with differences of weights."""
    model = NETS[name]()
    x, y = images(model)
    for slope in (None, "adaptive"):
        exact = Bounds(Graph(model), Linf)
        region = exact.region(x, 0.03)
        bounds = exact.margins(region, y, exact.boxes(region), slope)
        bounds[np.arange(3), y] = 0.0
        boxes = exact.boxes(region)
        same = margin_bounds(FLOAT64, exact.graph, exact.weights, region, y, boxes, slope)
        np.testing.assert_allclose(same, bounds, rtol=1e-12, atol=1e-12)

    def loss():
        graph = Graph(model)
        region = Region(FLOAT32.read(x), FLOAT32.read([0.03] * 3), Linf)
        labels = keras.ops.convert_to_tensor(y.astype("int32"))
        weights = graph.read(FLOAT32)
        boxes = interval_bounds(FLOAT32, graph, weights, region)
        found = margin_bounds(FLOAT32, graph, weights, region, labels, boxes, "same")
        return keras.ops.mean(found), ()

    step = compiled(lambda: weight_gradient(model, loss), model.variables)
    (before, _), gradients = step()
    squares = 0.0
    for weight, gradient in zip(model.trainable_variables, gradients, strict=True):
        squares += float(keras.ops.sum(keras.ops.square(gradient)))
        weight.assign_add(1e-4 * gradient)
    (after, _), _ = step()
    np.testing.assert_allclose((float(after) - float(before)) / 1e-4, squares, rtol=0.02)


@pytest.mark.parametrize("xp", [FLOAT64, FLOAT32], ids=["float64", "float32"])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_windows_are_the_rows_that_they_stand_for(xp, padding):
    """Of every unit, at the edges too, through paddings and convolutions to the images."""
    first, last = layers.Conv2D(3, 3, 2, padding), layers.Conv2D(2, 2, 1, padding)
    parts = [keras.Input((9, 8, 2)), first, layers.ZeroPadding2D(((1, 0), (2, 1))), last]
    graph = Graph(randomised(keras.Sequential(parts)))
    weights, node = graph.read(xp), graph[graph.output]
    rows = xp.reshape(xp.read(np.eye(node.size)), (-1, *node.shape))
    units = xp.arange(node.size)
    patch, found = node.operation.rows(xp, weights[-1], units)
    for place in range(graph.output, 0, -1):
        operation = graph[place].operation
        (rows,), offset = operation.adjoint(xp, weights[place], rows)
        if place < graph.output:
            patch, found = operation.adjoint_patch(xp, weights[place], patch)
        whole = patch.whole(xp, graph[place - 1].shape)
        for one, other in ((whole, rows), (found, offset)):
            one, other = map(keras.ops.convert_to_numpy, (one, other))
            np.testing.assert_allclose(one, other, atol=1e-5)
    x = xp.read(np.random.default_rng(0).normal(size=(node.size, 9, 8, 2)))
    near = xp.sum(patch.values * patch.of(xp, x, 1), axis=(1, 2, 3))
    whole = xp.sum(rows * x, axis=(1, 2, 3))
    np.testing.assert_allclose(*map(keras.ops.convert_to_numpy, (near, whole)), atol=1e-4)


def test_a_convolution_affords_more_rows_than_a_dense_layer():
    graph = Graph(wong_small())
    found = {graph[p].shape: affordable(graph, graph.read(FLOAT64), p, 12) for p in graph.bent[1:]}
    assert found == {(7, 7, 32): 12 * 16, (100,): 12}  # windows of 4 x 4 x 16 in 16 x 16 x 16


def _maps(xp, weights, operation, x, a):
    """L x and L'a of an operation that is affine."""
    constant = operation.forward(xp, weights, 0 * x)
    return operation.forward(xp, weights, x) - constant, operation.adjoint(xp, weights, a)[0][0]


@pytest.mark.parametrize("xp", [FLOAT64, FLOAT32], ids=["float64", "float32"])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_adjoints(xp, padding):
    """<a, L x> = <L'a, x> for odd and even sizes, kernels and strides."""
    generator = np.random.default_rng(0)
    cases = ((8, 7, 3, 2), (7, 8, 2, 3), (7, 9, 4, 2), (6, 5, 1, 2))
    for height, width, size, strides in cases if xp is FLOAT64 else cases[:2]:
        for layer in (
            layers.Conv2D(3, size, strides, padding),
            layers.DepthwiseConv2D(size, strides, padding, depth_multiplier=2),
            layers.AveragePooling2D(size, strides, padding),
        ):
            shape = height, width, 2
            inputs = keras.Input(shape)
            graph = Graph(randomised(keras.Model(inputs, layer(inputs))))
            weights, node = graph.read(xp), graph[graph.output]
            x = generator.normal(size=(2, *shape))
            a = generator.normal(size=(2, *node.shape))
            maps = functools.partial(_maps, xp, weights[-1], node.operation)
            maps = maps if xp is FLOAT64 else compiled(maps, [])
            linear, back = map(keras.ops.convert_to_numpy, maps(xp.read(x), xp.read(a)))
            left, right = (a * linear).sum(), (back * x).sum()
            np.testing.assert_allclose(
                left, right, rtol=1e-12 if xp is FLOAT64 else 1e-4, atol=1e-4
            )
