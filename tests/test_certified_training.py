"""Training on bounds: they are those of `certify`, schedules and parts those of the papers."""

import functools
import math

import keras
import numpy as np
import pytest
from tiny import numpy, tiny_batch, tiny_classifier

from robustzoo import backend
from robustzoo.certification.arrays import FLOAT32, FLOAT64
from robustzoo.certification.bounds import Bounds
from robustzoo.certification.certifier import Certifier
from robustzoo.certification.dual_bounds import _scale, dual_bounds
from robustzoo.certification.graph import Graph
from robustzoo.certification.intervals import interval_bounds, next_box
from robustzoo.certification.region import Region
from robustzoo.defenses import IBP, MTLIBP, SABR, CrownIBP, WongKolter
from robustzoo.defenses._shi import initialize, regularizer
from robustzoo.losses import cross_entropy
from robustzoo.threats import L2, Linf
from tests.certification.nets import branches, chain, images, pools, residual

EPS = 0.05
BOUNDS = [
    (IBP, {}, "ibp"),
    (CrownIBP, {"final": 0.0}, "crown-ibp"),
    (WongKolter, {"projections": None}, "wong-kolter"),
    (SABR, {"subselection": 1.0}, "ibp"),
]


def tensors(x, y):
    return keras.ops.convert_to_tensor(x), keras.ops.convert_to_tensor(y.astype("int32"))


def compiled(cls, model, **options):
    defense = cls(model, **{"threat": Linf(EPS)} | options)
    defense.compile(keras.optimizers.SGD(0.01))
    return defense


def as_one(fn, variables=()):
    """`fn` as one function of `variables`: by itself, JAX compiles operation by operation."""
    return backend.compiled(fn, variables) if keras.backend.backend() == "jax" else fn


def objective(defense, *batch):
    return as_one(defense.objective, defense.variables)(*batch)


def judged(defense, *batch):
    """Lower bounds of the margins by which `evaluate` counts."""
    return -numpy(as_one(defense.judge, defense.variables)(*batch))


@pytest.mark.parametrize("net", [chain, residual])
@pytest.mark.parametrize(
    ("cls", "options", "method"), BOUNDS, ids=lambda v: getattr(v, "__name__", "")
)
def test_worst_logits_are_the_bounds_of_certify(cls, options, method, net):
    model = net()
    x, y = images(model, 3)
    margins = Certifier(model, Linf).margins(method, x, y, EPS)
    margins[np.arange(3), y] = 0.0
    batch, labels = tensors(x, y)
    losses, clean, worst = objective(compiled(cls, model, **options), batch, batch, labels)
    np.testing.assert_allclose(numpy(worst), -margins, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(numpy(losses), numpy(cross_entropy(labels, worst)), rtol=1e-5)
    np.testing.assert_allclose(numpy(clean), numpy(model(batch)), rtol=1e-4, atol=1e-5)


def test_crown_ibp_ends_with_intervals():
    model = chain()
    x, y = tensors(*images(model, 3))
    ends = [objective(compiled(cls, model), x, x, y)[0] for cls in (CrownIBP, IBP)]
    np.testing.assert_allclose(numpy(ends[0]), numpy(ends[1]), rtol=1e-5)


def test_mtl_ibp_is_the_mean_of_both_losses():
    model = chain()
    x, y = tensors(*images(model, 3))
    x_adv = keras.ops.clip(x + 0.01, 0.0, 1.0)
    interval = numpy(objective(compiled(IBP, model), x, x, y)[0])
    attacked = numpy(cross_entropy(y, model(x_adv)))
    found = numpy(objective(compiled(MTLIBP, model, alpha=0.3), x, x_adv, y)[0])
    np.testing.assert_allclose(found, 0.7 * attacked + 0.3 * interval, rtol=1e-4)


def test_sabr_stays_in_the_ball():
    model = chain()
    x, y = images(model, 3)
    defense = compiled(SABR, model, subselection=0.3)
    batch, labels = tensors(x, y)
    x_adv = numpy(defense._adversarial(batch, labels))
    assert 0 < np.abs(x_adv - x).max() <= 0.7 * EPS + 1e-6
    inner = Bounds(Graph(model), Linf)
    region = inner.region(x_adv, 0.3 * EPS)
    margins = inner.margins(region, y, inner.boxes(region), None)
    margins[np.arange(3), y] = 0.0
    worst = numpy(objective(defense, batch, tensors(x_adv, y)[0], labels)[2])
    np.testing.assert_allclose(worst, -margins, rtol=1e-4, atol=1e-4)


def test_eps_and_the_weight_of_the_bound_grow():
    model = chain()
    x, y = tensors(*images(model, 3))
    whole = compiled(IBP, model, weight=0.8, warmup_steps=4, inflation=2.0)
    quarter = compiled(IBP, model, threat=Linf(EPS / 2), weight=0.2)
    np.testing.assert_allclose(
        numpy(objective(whole, x, x, y)[0]), numpy(objective(quarter, x, x, y)[0]), rtol=1e-5
    )


@pytest.mark.parametrize(
    ("cls", "at_the_end", "at_a_quarter"),
    [
        (IBP, {}, {}),
        (CrownIBP, {"final": 0.8}, {"final": 0.2}),
        (MTLIBP, {}, {}),
        (SABR, {"subselection": 0.5}, {"subselection": 0.5}),
        (WongKolter, {"projections": None}, {"projections": None}),
    ],
)
def test_worst_logits_of_a_first_step_of_four(cls, at_the_end, at_a_quarter):
    model = chain()
    x, y = tensors(*images(model, 3))
    x_adv = keras.ops.clip(x + 0.01, 0.0, 1.0)
    growing = compiled(cls, model, warmup_steps=4, **at_the_end)
    grown = compiled(cls, model, threat=Linf(EPS / 4), **at_a_quarter)
    worst = [numpy(objective(defense, x, x_adv, y)[2]) for defense in (growing, grown)]
    np.testing.assert_allclose(*worst, rtol=1e-5, atol=1e-6)


def test_the_regularizer_fades_as_eps_grows():
    model = chain()
    x, y = tensors(*images(model, 3))
    plain, regular = (
        numpy(objective(compiled(IBP, model, warmup_steps=4, regularization=r), x, x, y)[0])
        for r in (0.0, 0.6)
    )
    graph = Graph(model)
    region = Region(x, EPS / 4 * keras.ops.ones(3), Linf)
    boxes = interval_bounds(FLOAT32, graph, graph.read(FLOAT32), region)
    expected = 0.6 * 0.75 * float(regularizer(graph, boxes))
    assert expected > 0.01
    np.testing.assert_allclose(regular - plain, expected, rtol=1e-3)


def test_bounds_take_the_statistics_of_the_clean_batch():
    model = tiny_classifier()
    x, y = tensors(*tiny_batch())
    graph = Graph(model)
    weights = graph.read_batch(FLOAT32, x)
    alone = numpy(graph.forward(FLOAT32, weights, x)[-1])
    still = numpy(graph.forward(FLOAT32, graph.read(FLOAT32), x)[-1])
    np.testing.assert_allclose(alone, numpy(model(x, training=True)), rtol=1e-3, atol=1e-4)
    assert np.abs(alone - still).max() > 0.1


def test_evaluate_reports_certified_accuracy():
    x, y = tiny_batch(64)
    model = tiny_classifier()
    defense = IBP(model, threat=Linf(0.01))
    defense.compile(keras.optimizers.Adam(0.02))
    defense.fit(x, y, batch_size=32, epochs=15, verbose=0)
    proved = [Certifier(model, Linf).margins(m, x, y, 0.01).min(1) for m in ("ibp", "crown-ibp")]
    expected = float((np.max(proved, axis=0) > 0).mean())
    found = defense.evaluate(x, y, verbose=0, return_dict=True)["robust_accuracy"]
    assert 0.3 < expected < 1.0
    assert found == pytest.approx(expected, abs=1 / 64)


def test_a_margin_of_zero_is_not_counted():
    x, y = tiny_batch(8)
    model = tiny_classifier()
    model.set_weights([0.0 * w for w in model.get_weights()])
    for cls, options, _ in BOUNDS:
        judged = compiled(cls, model, **options).evaluate(x, 0 * y, verbose=0, return_dict=True)
        assert judged["accuracy"] == 1.0 and judged["robust_accuracy"] == 0.0


@pytest.mark.parametrize(
    ("cls", "options", "net"),
    [
        *((cls, {}, residual) for cls in (IBP, CrownIBP, MTLIBP, SABR)),
        (WongKolter, {"projections": 2}, chain),
        (WongKolter, {"projections": 2, "estimator": "geometric"}, residual),
    ],
    ids=lambda v: getattr(v, "__name__", ""),
)
def test_bounds_of_deep_nets_are_learned(cls, options, net):
    """Through a skip connection and several hidden layers: the loss on the bounds falls."""
    model = net()
    x, y = images(model, 16)
    defense = compiled(cls, model, threat=Linf(0.02), **options)
    defense.compile(keras.optimizers.Adam(5e-3))
    batch, labels = tensors(x, y)
    before = float(np.mean(numpy(objective(defense, batch, batch, labels)[0])))
    logs = defense.fit(x, y, batch_size=16, epochs=25, verbose=0).history
    assert np.isfinite(logs["loss"]).all()
    after = float(np.mean(numpy(objective(defense, batch, batch, labels)[0])))
    assert after < 0.7 * before


@pytest.mark.parametrize("net", [chain, residual])
def test_projections_are_exact_where_few_units_cross(net):
    """Of 2 sums: image by image and layer by layer, where at most 2 units cross by intervals."""
    model = net()
    x, _ = images(model, 12)
    bounds, eps = Bounds(Graph(model), Linf), np.linspace(0.0005, 0.16, 12)
    exact = bounds.boxes(bounds.region(x, eps), "same")
    graph, region = bounds.graph, Region(FLOAT32.read(x), FLOAT32.read(eps), Linf)
    weights = graph.read(FLOAT32)
    seed = keras.random.SeedGenerator(0)
    draw = as_one(lambda: dual_bounds(FLOAT32, graph, weights, region, 2, seed=seed), [seed.state])
    drawn = [draw(), draw()]
    alike, counts = np.ones(12, bool), []  # images whose bounds so far are exact
    for place in graph.bent[1:]:
        low, high = next_box(FLOAT64, graph[place], bounds.weights[place], exact)
        few = alike & (((low < 0) & (high > 0)).reshape(12, -1).sum(axis=1) <= 2)
        for end, other, whole in zip(*(d[place] for d in drawn), exact[place], strict=True):
            end, other = numpy(end), numpy(other)
            np.testing.assert_allclose(end[few], whole[few], rtol=1e-4, atol=1e-5)
            np.testing.assert_array_equal(end[few], other[few])
            assert not np.allclose(end[alike & ~few], other[alike & ~few])
        alike, counts = few, [*counts, few.sum()]
    assert 0 < counts[-1] and counts[0] < 12


@pytest.mark.parametrize("cls", [IBP, CrownIBP, MTLIBP, SABR, WongKolter])
def test_takes_labels_of_64_bits(cls):
    x, y = tiny_batch(8)
    defense = compiled(cls, tiny_classifier())
    data = x, y.astype("int64")
    logs = defense.fit(*data, validation_data=data, batch_size=8, verbose=0).history
    assert np.isfinite(logs["loss"]).all() and "val_robust_accuracy" in logs


def test_wong_kolter_is_judged_by_a_bound():
    model = chain()
    x, y = images(model, 8)
    exact, drawn = (
        judged(compiled(WongKolter, model, projections=k), *tensors(x, y)) for k in (None, 2)
    )
    loose = [Certifier(model, Linf).margins(m, x, y, EPS) for m in ("ibp", "crown-ibp")]
    bounds = Bounds(Graph(model), Linf)
    region = bounds.region(x, EPS)
    own = bounds.margins(region, y, bounds.boxes(region, "same"), "adaptive")
    loose, best = np.max(loose, axis=0), np.max([*loose, own], axis=0)
    other = np.isfinite(own)
    np.testing.assert_allclose(exact[other], best[other], rtol=1e-4, atol=1e-4)
    for found in (exact, drawn):
        np.testing.assert_allclose(found[np.arange(8), y], 0.0, atol=1e-4)
    # With few rows intervals stand in: no less than without any row, no more than with all.
    assert (drawn >= loose - 1e-4)[other].all() and (drawn <= best + 1e-4)[other].all()
    assert (best > loose + 0.01).any()


def test_no_row_is_exact_where_none_was_asked_for():
    """At so small an eps no unit crosses: with exact rows two draws agree."""
    model = chain()
    x, y = images(model, 4)
    graph, region = Graph(model), Region(FLOAT32.read(x), FLOAT32.read(np.full(4, 1e-4)), Linf)
    weights, seed = graph.read(FLOAT32), keras.random.SeedGenerator(0)
    for exact in (True, False):
        draw = functools.partial(
            dual_bounds, FLOAT32, graph, weights, region, 2, seed=seed, exact=exact
        )
        (one, _), (other, _) = draw()[graph.bent[-1]], draw()[graph.bent[-1]]
        assert np.array_equal(numpy(one), numpy(other)) == exact
    found = judged(compiled(WongKolter, model, projections=2, exact=False), *tensors(x, y))
    expected = judged(compiled(CrownIBP, model), *tensors(x, y))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_wong_kolter_is_judged_by_more_exact_rows_than_it_trains_with():
    """More units of the middle layer cross than there are projections, fewer than eight times."""
    inputs = keras.Input((4, 4, 1))
    x = keras.layers.Flatten()(inputs)
    for units in (30, 20):
        x = keras.layers.Dense(units, "relu")(x)
    model = keras.Model(inputs, keras.layers.Dense(3)(x))
    x, y = images(model, 8)
    exact, few = (
        judged(compiled(WongKolter, model, projections=k), *tensors(x, y)) for k in (None, 3)
    )
    loose = Certifier(model, Linf).margins("crown-ibp", x, y, EPS)
    assert (exact > loose + 0.01)[np.isfinite(loose)].any()
    np.testing.assert_allclose(few, exact, rtol=1e-4, atol=1e-4)


def test_frozen_batch_normalization_keeps_to_its_moving_moments():
    """As Keras does in training: bounds of the batch's moments would be of another net."""
    net = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Conv2D(2, 3)])
    for layer in (keras.layers.BatchNormalization(), keras.layers.Flatten(), keras.layers.Dense(3)):
        net.add(layer)
    x, _ = images(net, 4)
    graph = Graph(net)
    moving, batch = graph.read(FLOAT32), graph.read_batch(FLOAT32, x)
    assert any(np.abs(numpy(a) - numpy(b)).max() > 0.01 for a, b in pairs_of(moving, batch))
    net.layers[1].trainable = False
    for a, b in pairs_of(moving, graph.read_batch(FLOAT32, x)):
        np.testing.assert_allclose(numpy(a), numpy(b), atol=1e-6)


def pairs_of(one, other):
    """Parameters of every node, side by side."""
    flat = [keras.tree.flatten(weights) for weights in (one, other)]
    return list(zip(*flat, strict=True))


@pytest.mark.parametrize("net", [chain, residual, branches, pools])
def test_dual_bounds_are_those_of_the_engine(net):
    model = net()
    x, y = images(model, 3)
    bounds = Bounds(Graph(model), Linf)
    region = bounds.region(x, EPS)
    found = dual_bounds(FLOAT64, bounds.graph, bounds.weights, region)
    for place in bounds.graph.bent:
        low, high = bounds.boxes(region, "same")[place]
        crossing = (low < 0) & (high > 0)
        np.testing.assert_allclose(found[place][0][crossing], low[crossing], rtol=1e-12)
        np.testing.assert_allclose(found[place][1][crossing], high[crossing], rtol=1e-12)


def test_projections_are_of_relu_networks():
    """Max pooling has no two parallel lines, from which the sums would be made."""
    model = pools()
    with pytest.raises(ValueError, match="projections are of ReLU networks"):
        WongKolter(model, threat=Linf(EPS), projections=2)
    graph, region = Graph(model), Region(FLOAT32.read(images(model, 2)[0]), 0.1, Linf)
    with pytest.raises(ValueError, match="projections are of ReLU networks"):
        dual_bounds(FLOAT32, graph, graph.read(FLOAT32), region, 2)


def test_estimates_of_l1_norms():
    """Right in the median over many draws; one of 50 sums is 23 % off, half of the time below."""
    generator = np.random.default_rng(0)
    row = generator.normal(size=40)
    draws = generator.standard_cauchy(size=(2000, 50, 40)) @ row / np.abs(row).sum()
    for estimator, below in (("median", 0.50), ("geometric", 0.54)):
        scale = numpy(
            _scale(keras.ops.convert_to_tensor(draws.astype("float32")[..., None]), estimator)
        )
        assert (scale < 1.0).mean() == pytest.approx(below, abs=0.03)
        assert np.std(scale) == pytest.approx(0.23, abs=0.03)
    assert scale.mean() == pytest.approx(1.0, abs=0.01)  # the geometric one is unbiased


@pytest.mark.parametrize("net", [chain, residual])
def test_projections_estimate_the_dual_bounds(net):
    model = net()
    x, _ = images(model, 2)
    graph, region = Graph(model), Region(FLOAT32.read(x), FLOAT32.read([0.15] * 2), Linf)
    weights = graph.read(FLOAT32)
    exact = as_one(lambda: dual_bounds(FLOAT32, graph, weights, region))()
    seed = keras.random.SeedGenerator(0)
    place = next(p for p in graph.bent if graph[p].mixing > 1)
    draw = backend.compiled(
        lambda: dual_bounds(FLOAT32, graph, weights, region, 3, seed=seed)[place], [seed.state]
    )
    drawn = [draw() for _ in range(60)]
    interval = next_box(FLOAT32, graph[place], weights[place], exact)
    crossing = numpy((interval[0] < 0) & (interval[1] > 0))
    assert crossing.reshape(2, -1).sum(axis=1).min() > 3  # or rows are exact
    width = numpy(exact[place][1] - exact[place][0])[crossing]
    # An odd number of sums: their median is as often too large as too small.
    median = np.median([numpy(high - low)[crossing] for low, high in drawn], axis=0)
    assert np.mean(median / width) == pytest.approx(1.0, abs=0.1)


def test_shi_initialization_and_regularizer():
    model = keras.Sequential(
        [keras.Input((6, 6, 3)), keras.layers.Conv2D(64, 3), keras.layers.Flatten()]
    )
    initialize(model, 0)
    kernel, bias = model.get_weights()
    assert np.std(kernel) == pytest.approx(math.sqrt(2 * math.pi) / 27, rel=0.05)
    assert not bias.any()
    depthwise = keras.layers.DepthwiseConv2D(3, depth_multiplier=8)
    initialize(keras.Sequential([keras.Input((6, 6, 16)), depthwise]), 0)
    assert np.std(numpy(depthwise.kernel)) == pytest.approx(math.sqrt(2 * math.pi) / 9, rel=0.1)

    class Toy:
        bent = (1,)

    images_box = np.array([[0.0, 0.0]]), np.array([[1.0, 1.0]])
    hidden = np.array([[1.0, -9.0, -1.0]]), np.array([[3.0, -7.0, 9.0]])  # centres 2, -8, 4
    tightness = (0.5 - 1.0 / (14 / 3)) / 0.5
    mean = -2.0 / 3
    balance = (0.5 - 2.0 / 8.0) / 0.5 + (0.5 - (2 - mean) ** 2 / (8 + mean) ** 2) / 0.5
    boxes = [
        tuple(keras.ops.convert_to_tensor(e.astype("float32")) for e in b)
        for b in (images_box, hidden)
    ]
    assert float(regularizer(Toy, boxes)) == pytest.approx(tightness + balance, rel=1e-5)


@pytest.mark.parametrize(
    ("cls", "options", "message"),
    [
        (IBP, {"threat": L2(0.5)}, "must be Linf"),
        (IBP, {"inflation": 0.0}, "inflation must be"),
        (IBP, {"weight": 1.5}, r"weight must lie in \[0, 1\]"),
        (IBP, {"regularization": 0.5}, "needs warmup_steps"),
        (CrownIBP, {"final": -1.0}, "final must lie"),
        (SABR, {"subselection": 0.0}, "subselection must lie"),
        (MTLIBP, {"alpha": 2.0}, "alpha must lie"),
        (WongKolter, {"projections": 1}, "projections must be"),
        (WongKolter, {"estimator": "mean"}, "estimator must be one of"),
        (WongKolter, {"projections": None, "exact": False}, "exact=False needs projections"),
    ],
)
def test_refuses(cls, options, message):
    with pytest.raises(ValueError, match=message):
        compiled(cls, tiny_classifier(), **options)
