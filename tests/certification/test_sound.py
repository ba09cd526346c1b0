"""No bound is ever wrong: for every layer, method and norm; and wrong rules are found out."""

import numpy as np
import pytest

from robustzoo.certification import METHODS, arrays, linear
from robustzoo.certification.bounds import Bounds
from robustzoo.certification.certifier import Certifier
from robustzoo.certification.operations import Convolution, ReLU, Reshape
from robustzoo.threats import L1, L2, Linf
from tests.certification.nets import NETS, chain, images, randomised, residual
from tests.certification.soundness import (
    assert_boxes_hold,
    assert_margins_hold,
    attacked,
    corners,
    points,
)

THREATS = (Linf(0.08), L2(0.4), L1(0.9))
LINEAR = tuple(name for name, method in METHODS.items() if not method.program)
FIXED = tuple(name for name in LINEAR if METHODS[name].slope != "optimised")
each_net = pytest.mark.parametrize("name", NETS)
each_threat = pytest.mark.parametrize("threat", THREATS, ids=str)


@each_net
@each_threat
def test_contain_10000_samples(name, threat):
    model = NETS[name]()
    x, y = images(model, 2)
    for clip in (True, False):
        certifier = Certifier(model, type(threat), clip)
        region = certifier.exact.region(x, threat.eps)
        z = [points(threat, x[i].astype("float64"), clip, 10_000) for i in range(2)]
        for hidden in (None, "same", "adaptive", "zero"):
            boxes = certifier.exact.boxes(region, hidden)
            for i in range(2):
                assert_boxes_hold(certifier.graph, boxes, i, z[i])
        for method in FIXED:
            bounds = certifier.margins(method, x, y, threat.eps)
            for i in range(2):
                assert_margins_hold(certifier.graph, bounds[i], y[i], z[i])


@each_net
@each_threat
def test_hold_where_gradient_descent_ends(name, threat):
    model = NETS[name]()
    x, y = images(model, 1)
    certifier = Certifier(model, type(threat))
    z = attacked(model, threat, x[0], y[0])
    for method in FIXED:
        bound = certifier.margins(method, x, y, threat.eps)[0]
        # The attack's images are float32: their distance is a rounding more than eps.
        assert_margins_hold(certifier.graph, bound, y[0], z, 1e-4)


@pytest.mark.parametrize("net", [chain, residual])
def test_hold_at_all_corners_of_a_tiny_box(net):
    model = net((3, 4, 1))
    x, y = images(model, 3)
    certifier = Certifier(model, Linf)
    for method in METHODS:
        bounds = certifier.margins(method, x, y, 0.15)
        for i in range(3):
            assert_margins_hold(certifier.graph, bounds[i], y[i], corners(x[i], 0.15), 1e-7)


@pytest.mark.parametrize("name", ["normalised", "smooth"])
@each_threat
def test_best_slopes_hold(name, threat):
    model = NETS[name]()
    x, y = images(model, 3)
    certifier = Certifier(model, type(threat))
    for rows in (slice(0, 2), slice(2, 3)):  # batches of two sizes
        bounds = certifier.margins("alpha-crown", x[rows], y[rows], threat.eps)
        for i, bound in enumerate(bounds, rows.start):
            z = points(threat, x[i].astype("float64"), True, 10_000)
            assert_margins_hold(certifier.graph, bound, y[i], z)


@pytest.mark.parametrize("name", ["residual", "pools", "smooth"])
def test_float32_bounds_are_those_of_float64(name):
    model = NETS[name]()
    x, y = images(model, 3)
    certifier = Certifier(model, Linf)
    for hidden, slope in ((None, None), (None, "zero"), ("same", "same"), ("adaptive", "adaptive")):
        found = []
        for xp in (arrays.FLOAT64, arrays.FLOAT32):
            bounds = Bounds(certifier.graph, xp, Linf)
            region = bounds.region(x, 0.05)
            boxes = bounds.boxes(region, hidden)
            found.append(bounds.margins(region, y, boxes, slope))
        other = np.isfinite(found[0])
        np.testing.assert_allclose(found[1][other], found[0][other], rtol=1e-4, atol=1e-4)


def swapped_bounds(monkeypatch):
    lines = ReLU.lines
    monkeypatch.setattr(
        ReLU, "lines", lambda self, xp, low, high, slope: lines(self, xp, -high, -low, slope)
    )


def dropped_bias(monkeypatch):
    adjoint = Convolution.adjoint
    monkeypatch.setattr(
        Convolution, "adjoint", lambda self, xp, w, a: (adjoint(self, xp, w, a)[0], 0.0)
    )


def forgotten_skip(monkeypatch):
    """Only one of the two that take a node gives it coefficients."""
    step = linear._step

    def forgetful(xp, node, *rest):
        parts, low, high = step(xp, node, *rest)
        return (parts[0], 0.0 * parts[1]) if len(node.inputs) == 2 else parts, low, high

    monkeypatch.setattr(linear, "_step", forgetful)


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


MUTANTS = (
    swapped_bounds,
    dropped_bias,
    forgotten_skip,
    transposed_kernel,
    flattened_in_the_wrong_order,
)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_wrong_rule_is_found_out(mutant, monkeypatch):
    mutant(monkeypatch)
    with pytest.raises(AssertionError):
        for seed in range(5):
            model = randomised(residual(), seed)
            x, y = images(model, 3, seed)
            certifier = Certifier(model, Linf)
            for method in ("wong-kolter", "crown"):
                bounds = certifier.margins(method, x, y, 0.02)
                for i in range(3):
                    z = points(Linf(0.02), x[i].astype("float64"), True, 2000)
                    assert_margins_hold(certifier.graph, bounds[i], y[i], z)
