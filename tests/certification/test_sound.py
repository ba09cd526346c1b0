"""No bound is ever wrong: for every layer, method and norm; and wrong rules are found out."""

import functools

import keras
import numpy as np
import pytest
from keras import ops

from robustzoo.backend import compiled
from robustzoo.certification import METHODS, arrays
from robustzoo.certification.certifier import Certifier
from robustzoo.certification.graph import Graph
from robustzoo.certification.intervals import interval_bounds
from robustzoo.certification.margin_bounds import margin_bounds
from robustzoo.certification.operations import (
    Convolution,
    MaxPool,
    Pad,
    ReLU,
    Reshape,
    Sum,
    Tanh,
)
from robustzoo.certification.region import Region
from robustzoo.threats import L1, L2, Linf
from tests.certification.nets import (
    NETS,
    TINY,
    chain,
    images,
    pools,
    randomised,
    residual,
    smooth,
)
from tests.certification.soundness import (
    assert_below,
    assert_boxes_hold,
    assert_margins_hold,
    attacked,
    corners,
    least_margins,
    points,
    some_corners,
    vertices,
)

THREATS = (Linf(0.08), L2(0.4), L1(0.9))
LINEAR = tuple(name for name, method in METHODS.items() if not method.program)
FIXED = tuple(name for name in LINEAR if METHODS[name].slope != "optimised")
each_net = pytest.mark.parametrize("name", NETS)
each_threat = pytest.mark.parametrize("threat", THREATS, ids=str)
CLIP = (True, False)


def search_is_tried(name):
    """Whether alpha-crown is: its search is compiled for every net and norm, which JAX takes long.

    What is proved with the slopes that are found is computed by NumPy.
    """
    few = ("residual", "normalised", "smooth")
    return name in few or keras.backend.backend() == "tensorflow"


@functools.cache
def searched(name, threat, clip):
    """Margins of two images by alpha-crown, for all tests."""
    model = NETS[name]()
    x, y = images(model, 2)
    return Certifier(model, type(threat), clip).margins("alpha-crown", x, y, threat.eps)


@each_net
@each_threat
def test_contain_10000_samples(name, threat):
    model = NETS[name]()
    x, y = images(model, 2)
    for clip in CLIP:
        certifier = Certifier(model, type(threat), clip)
        region = certifier.bounds.region(x, threat.eps)
        bounds = [certifier.margins(method, x, y, threat.eps) for method in FIXED]
        if search_is_tried(name):
            bounds.append(searched(name, threat, clip))
        boxes = [certifier.bounds.boxes(region, h) for h in (None, "same", "adaptive", "zero")]
        for i in range(2):
            z = points(threat, x[i].astype("float64"), clip, 10_000)
            for box in boxes:
                assert_boxes_hold(certifier.graph, box, i, z)
            if isinstance(threat, Linf) and clip:
                z = np.concatenate([z, some_corners(x[i], threat.eps, 10_000)])
            real = least_margins(certifier.graph, y[i], z)
            for bound in bounds:
                assert_below(bound[i], real, y[i])


@each_net
@each_threat
def test_hold_where_gradient_descent_ends(name, threat):
    model = NETS[name]()
    x, y = images(model, 2)
    for clip, z in attacked(model, threat, x[0], y[0]).items():
        certifier = Certifier(model, type(threat), clip)
        bounds = [certifier.margins(method, x[:1], y[:1], threat.eps) for method in FIXED]
        if search_is_tried(name):
            bounds.append(searched(name, threat, clip))
        real = least_margins(certifier.graph, y[0], z)
        for bound in bounds:
            # The attack's images are float32: their distance is a rounding more than eps.
            assert_below(bound[0], real, y[0], 1e-4)


@pytest.mark.parametrize("name", TINY)
def test_hold_at_all_corners_of_a_tiny_box(name):
    model = NETS[name](TINY[name])
    x, y = images(model, 3)
    certifier = Certifier(model, Linf)
    tried = METHODS if name != "smooth" else LINEAR  # a program takes no curves
    few = keras.backend.backend() != "tensorflow" and name not in ("chain", "residual")
    tried = [method for method in tried if not few or method != "alpha-crown"]
    bounds = [certifier.margins(method, x, y, 0.15) for method in tried]
    for i in range(3):
        real = least_margins(certifier.graph, y[i], corners(x[i], 0.15))
        for bound in bounds:
            assert_below(bound[i], real, y[i], 1e-7)


@pytest.mark.parametrize("name", ["chain", "residual", "pools"])
@pytest.mark.parametrize("threat", [Linf(0.1), L1(0.5)], ids=str)
def test_programs_hold_at_samples_and_vertices(name, threat):
    model = NETS[name](TINY[name])
    x, y = images(model, 2)
    for clip in CLIP:
        certifier = Certifier(model, type(threat), clip)
        bounds = [certifier.margins(method, x, y, threat.eps) for method in ("lp", "milp")]
        for i in range(2):
            z = points(threat, x[i].astype("float64"), clip, 10_000)
            z = np.concatenate([z, vertices(threat, x[i].astype("float64"), clip)])
            real = least_margins(certifier.graph, y[i], z)
            for bound in bounds:
                assert_below(bound[i], real, y[i], 1e-7)


@pytest.mark.parametrize("net", [chain, residual])
def test_best_slopes_hold_at_all_corners(net):
    model = net((3, 4, 1))
    x, y = images(model, 6, seed=2)
    certifier = Certifier(model, Linf)
    for eps in (0.02, 0.08, 0.3):
        bounds = certifier.margins("alpha-crown", x, y, eps)
        for i in range(6):
            assert_margins_hold(certifier.graph, bounds[i], y[i], corners(x[i], eps))


@pytest.mark.parametrize("name", ["residual", "pools", "smooth"])
def test_float32_bounds_are_those_of_float64(name):
    model = NETS[name]()
    x, y = images(model, 3)
    graph = Graph(model)
    for slope in (None, "same", "adaptive", "zero"):
        found = []
        for xp in (arrays.FLOAT64, arrays.FLOAT32):
            labels = y if xp is arrays.FLOAT64 else ops.convert_to_tensor(y.astype("int32"))

            def bound(xp=xp, labels=labels, slope=slope):
                weights, region = graph.read(xp), Region(xp.read(x), xp.read([0.05] * 3), Linf)
                boxes = interval_bounds(xp, graph, weights, region)
                return margin_bounds(xp, graph, weights, region, labels, boxes, slope)

            bound = bound if xp is arrays.FLOAT64 else compiled(bound, model.variables)
            found.append(ops.convert_to_numpy(bound()))
        np.testing.assert_allclose(found[1], found[0], rtol=1e-4, atol=1e-4)


def swapped_bounds(monkeypatch, operation=ReLU):
    lines = operation.lines
    monkeypatch.setattr(
        operation, "lines", lambda self, xp, low, high, slope: lines(self, xp, -high, -low, slope)
    )


def dropped_bias(monkeypatch):
    adjoint = Convolution.adjoint
    monkeypatch.setattr(
        Convolution, "adjoint", lambda self, xp, w, a: (adjoint(self, xp, w, a)[0], 0.0)
    )


def forgotten_skip(monkeypatch):
    """Only one of the two that take a node gives it coefficients."""
    adjoint = Sum.adjoint

    def forgetful(self, xp, w, a):
        (first, second), offset = adjoint(self, xp, w, a)
        return (first, 0.0 * second), offset

    monkeypatch.setattr(Sum, "adjoint", forgetful)


def transposed_kernel(monkeypatch):
    convolve = arrays.Float64.convolve_adjoint

    def wrong(self, a, kernel, strides, shape):
        return convolve(self, a, np.swapaxes(kernel, 0, 1), strides, shape)

    monkeypatch.setattr(arrays.Float64, "convolve_adjoint", wrong)


def flattened_in_the_wrong_order(monkeypatch):
    def adjoint(self, xp, w, a):
        swapped = self.source[1], self.source[0], *self.source[2:]
        return (np.swapaxes(a.reshape(-1, *swapped), 1, 2),), 0.0

    monkeypatch.setattr(Reshape, "adjoint", adjoint)


def mirrored_tanh(monkeypatch):
    swapped_bounds(monkeypatch, Tanh)


def max_pool_that_is_always_sure(monkeypatch):
    lines = MaxPool.lines

    def sure(*given):
        lower, _, constant = lines(*given)
        return lower, lower, 0.0 * constant

    monkeypatch.setattr(MaxPool, "lines", sure)


def largest_for_every_dual_norm(monkeypatch):
    monkeypatch.setattr(Region, "dual", lambda self, xp, a: np.abs(a).max((-3, -2, -1)))


MUTANTS = (
    (swapped_bounds, residual, Linf(0.02)),
    (dropped_bias, residual, Linf(0.02)),
    (forgotten_skip, residual, Linf(0.02)),
    (transposed_kernel, residual, Linf(0.02)),
    (flattened_in_the_wrong_order, residual, Linf(0.02)),
    (mirrored_tanh, smooth, Linf(0.08)),
    (max_pool_that_is_always_sure, pools, Linf(0.08)),
    (largest_for_every_dual_norm, residual, L2(0.1)),
)


@pytest.mark.parametrize(
    ("mutant", "net", "threat"), MUTANTS, ids=lambda value: getattr(value, "__name__", None)
)
def test_a_wrong_rule_is_found_out(mutant, net, threat, monkeypatch):
    mutant(monkeypatch)
    with pytest.raises(AssertionError):
        for seed in range(5):
            model = randomised(net(), seed)
            x, y = images(model, 3, seed)
            certifier = Certifier(model, type(threat))
            for method in ("wong-kolter", "crown"):
                bounds = certifier.margins(method, x, y, threat.eps)
                for i in range(3):
                    z = points(threat, x[i].astype("float64"), True, 2000)
                    assert_margins_hold(certifier.graph, bounds[i], y[i], z)


def intervals(shape):
    """Random (low, high) of all sizes: below 0, above it, and far to both sides of it."""
    generator = np.random.default_rng(0)
    below, above = 10.0 ** generator.uniform(-6, 1.7, (2, *shape))
    center = np.where(generator.uniform(size=shape) < 0.5, 0.0, generator.normal(size=shape))
    return center - below, center + above


@pytest.mark.parametrize("slope", ["same", "adaptive", "zero"])
def test_tanh_lies_between_its_lines(slope):
    low, high = intervals((1, 3000))
    lower, below, upper, above = Tanh((3000,)).lines(arrays.FLOAT64, low, high, slope)
    for share in np.linspace(0, 1, 301):
        z = low + share * (high - low)
        assert (lower * z + below <= np.tanh(z) + 1e-12).all()
        assert (np.tanh(z) <= upper * z + above + 1e-12).all()


def test_max_pool_lies_between_its_lines():
    pool = MaxPool((2, 2), (2, 2), Pad(((0, 1), (0, 1)), (6, 6, 3)), (3, 3, 3))
    low, high = intervals((50, 5, 5, 3))
    lower, upper, constant = pool.lines(arrays.FLOAT64, low, high, "adaptive")
    generator = np.random.default_rng(1)
    for k in range(400):
        share = generator.uniform(size=low.shape)
        x = low + (np.round(share) if k % 2 else share) * (high - low)
        taps = np.moveaxis(pool._taps(arrays.FLOAT64, x), 0, 1)
        least, most = (np.where(line, taps, 0.0).sum(1) for line in (lower, upper))
        value = pool.forward(arrays.FLOAT64, x)
        assert (least <= value).all() and (value <= most + constant + 1e-12).all()
