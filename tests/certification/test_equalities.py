"""What bounds are equal to, and which of them must not be above which."""

import keras
import numpy as np
import pytest
from keras import layers

from robustzoo.backend import weight_gradient
from robustzoo.certification import METHODS
from robustzoo.certification.arrays import FLOAT32, FLOAT64
from robustzoo.certification.bounds import Bounds
from robustzoo.certification.certifier import Certifier
from robustzoo.certification.graph import Graph
from robustzoo.certification.intervals import interval_bounds
from robustzoo.certification.margin_bounds import margin_bounds
from robustzoo.certification.region import Region
from robustzoo.threats import L1, L2, Linf
from tests.certification.dense_reference import convolution_matrix, margins
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


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("net", [chain, residual])
def test_equal_dense_matrices(net, norm):
    model = net()
    weights, biases = matrices(model)
    x, y = images(model, 3)
    kind, eps = NORMS[norm]
    for clip in (True, False):
        bounds = Bounds(Graph(model), kind, clip)
        region = bounds.region(x, eps)
        for method in SLOPES:
            boxes = bounds.boxes(region, method.hidden)
            ours = bounds.margins(region, y, boxes, method.slope)
            for i in range(3):
                theirs = margins(
                    weights, biases, x[i].ravel().astype("float64"), eps, norm, clip, y[i],
                    method.hidden, method.slope,
                )  # fmt: skip
                other = np.arange(CLASSES) != y[i]
                np.testing.assert_allclose(ours[i][other], theirs[other], 1e-10, 1e-10)


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


@pytest.mark.parametrize("name", ["residual", "pools"])
def test_do_not_depend_on_the_batch_or_the_memory(name):
    model = NETS[name]()
    x, y = images(model, 7)
    whole, tight = Certifier(model, Linf), Certifier(model, Linf, memory=1)
    for method in ("ibp", "crown-ibp", "wong-kolter", "crown"):
        together = whole.margins(method, x, y, 0.05)
        alone = np.concatenate(
            [whole.margins(method, x[i : i + 1], y[i : i + 1], 0.05) for i in range(7)]
        )
        np.testing.assert_allclose(alone, together, rtol=1e-12)
        np.testing.assert_allclose(tight.margins(method, x, y, 0.05), together, rtol=1e-12)


@pytest.mark.parametrize("name", ["chain", "residual", "normalised", "pools"])
def test_orders_that_are_theorems(name):
    """Clean >= MILP >= LP >= best slopes >= CROWN, of the same hidden bounds; zero slope >= IBP."""
    model = NETS[name]()
    x, y = images(model, 2)
    for threat in (Linf(0.05), L1(0.5)):
        certifier = Certifier(model, type(threat))
        names = (
            ("milp", "lp", "alpha-crown", "crown") if threat.eps < 0.1 else ("milp", "lp", "crown")
        )
        bounds = [certifier.margins(method, x, y, threat.eps) for method in names]
        clean = certifier.logits(x)
        bounds.insert(0, clean[np.arange(2), y][:, None] - clean)
        for above, below in zip(bounds, bounds[1:], strict=False):
            other = np.isfinite(below)
            assert (below[other] <= above[other] + 1e-5).all()
        zero, interval = (certifier.margins(m, x, y, threat.eps) for m in ("crown-ibp-zero", "ibp"))
        other = np.isfinite(zero)
        if name != "pools" and threat.eps < 0.1:  # the theorem is of ReLU nets and boxes
            assert (interval[other] <= zero[other] + 1e-9).all()


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

    (before, _), gradients = weight_gradient(model, loss)
    squares = 0.0
    for weight, gradient in zip(model.trainable_variables, gradients, strict=True):
        squares += float(keras.ops.sum(keras.ops.square(gradient)))
        weight.assign_add(1e-4 * gradient)
    (after, _), _ = weight_gradient(model, loss)
    np.testing.assert_allclose((float(after) - float(before)) / 1e-4, squares, rtol=0.02)


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
            flat, _ = node.operation.adjoint(xp, weights[-1], xp.read(a))
            linear = node.operation.forward(xp, weights[-1], xp.read(x))
            linear = linear - node.operation.forward(xp, weights[-1], xp.read(0 * x))
            left = (a * keras.ops.convert_to_numpy(linear)).sum()
            right = (keras.ops.convert_to_numpy(flat[0]) * x).sum()
            np.testing.assert_allclose(
                left, right, rtol=1e-12 if xp is FLOAT64 else 1e-4, atol=1e-4
            )
