"""robustzoo.certify: what it says, what it refuses."""

import itertools
import sys
import types

import keras
import numpy as np
import pytest
from keras import layers

import robustzoo
from robustzoo.certification import METHODS, Certificate, certified_radius
from robustzoo.certification.arrays import FLOAT32
from robustzoo.certification.certifier import Certifier
from robustzoo.certification.graph import Graph
from robustzoo.certification.linear import unit_rows
from robustzoo.layers import CenterLogits, Noise
from robustzoo.smoothing import base_classifier
from robustzoo.threats import L1, L2, Linf
from tests.certification.nets import SHAPE, images, randomised, residual
from tests.certification.soundness import corners, points


def test_certifies_what_it_proves_and_nothing_that_is_wrong():
    model = residual()
    x, y = images(model, 6)
    y[0] = (y[0] + 1) % 3
    proof = robustzoo.certify(model, x, y, 0.01, ("ibp", "crown"))
    assert not proof.correct[0] and proof.correct[1:].all()
    assert not proof.certified[0] and proof.certified[1:].any()
    assert proof.method[0] is None
    assert (proof.margin >= np.maximum(proof.margins["ibp"], proof.margins["crown"])).all()
    assert proof.accuracy == proof.certified.mean()
    assert f"certified {proof.accuracy:.2%} of 6 images" in str(proof)
    assert "0.0001" in str(proof) and "float64" in str(proof)
    for i in np.flatnonzero(proof.certified):
        z = points(Linf(0.01), x[i].astype("float64"), True, 500)
        np.testing.assert_array_equal(Certifier(model, Linf).logits(z).argmax(1), y[i])


@pytest.mark.parametrize("cascade", [False, True])
def test_each_rival_may_be_ruled_out_by_another_method(monkeypatch, cascade):
    model = residual()
    x, y = images(model, 1)
    proved = {"ibp": [1.0, -1.0], "crown": [-1.0, 2.0]}  # of the two rivals

    def margins(self, name, images, labels, *arguments):
        return np.insert(proved[name], labels[0], np.inf)[None]

    monkeypatch.setattr(Certifier, "margins", margins)
    proof = robustzoo.certify(model, x, y, 0.01, ("ibp", "crown"), cascade=cascade)
    assert [float(proof.margins[name][0]) for name in proved] == [-1.0, -1.0]
    assert proof.margin[0] == 1.0 and proof.certified.all()


@pytest.mark.parametrize("method", ["alpha-crown", "milp"])
def test_a_margin_is_searched_for_where_it_is_not_known(method):
    model = residual()
    x, y = images(model, 4)
    certifier = Certifier(model, Linf)
    whole = certifier.margins(method, x, y, 0.05)
    lines = certifier.margins("crown", x, y, 0.05)
    known = np.full_like(lines, -np.inf)
    known[0] = known[1, (y[1] + 1) % 3] = 0.5
    enough = np.array([[0.4], [0.4], [np.sort(lines[2])[1] - 1e-9], [np.inf]])
    expected = np.where((known > enough) | (lines > enough), lines, whole)
    assert (whole[:3] > lines[:3])[expected[:3] == lines[:3]].any()
    assert (expected == lines).any() and (expected > lines).any()
    found = certifier.margins(method, x, y, 0.05, known, enough)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_nothing_is_certified_within_a_tolerance_of_all():
    model = residual()
    x, y = images(model)
    assert robustzoo.certify(model, x, y, 0.0, "ibp").certified.all()
    assert not robustzoo.certify(model, x, y, 0.0, "ibp", tolerance=10.0).certified.any()


def test_a_cascade_certifies_the_same():
    model = residual()
    x, y = images(model, 8)
    for eps in (0.02, 0.06):
        whole, cascade = (
            robustzoo.certify(model, x, y, L2(eps * 5), ("ibp", "crown-ibp", "crown"), cascade=c)
            for c in (False, True)
        )
        np.testing.assert_array_equal(whole.certified, cascade.certified)
        ran = np.isfinite(cascade.margins["crown"])
        assert not (ran & (cascade.margins["ibp"] > cascade.tolerance * cascade.scale)).any()


CASCADE = {"method": ("ibp", "crown"), "cascade": True, "batch_size": 1}


@pytest.fixture
def asked(monkeypatch):
    """The methods of all batches, which fail at the eighth; a second passes between two looks."""
    module, ticks = sys.modules["robustzoo.certification.certify"], itertools.count()
    monkeypatch.setattr(module, "EVERY", 0.0)
    monkeypatch.setattr(module, "time", types.SimpleNamespace(monotonic=lambda: next(ticks)))
    asked, margins = [], Certifier.margins

    def failing(self, name, *arguments):
        asked.append(name)
        if len(asked) == 8:
            raise KeyboardInterrupt
        return margins(self, name, *arguments)

    monkeypatch.setattr(Certifier, "margins", failing)
    return asked


def interrupted(asked, model, x, y, folder):
    """A certificate of six images, interrupted at the second of two that "ibp" leaves."""
    with pytest.raises(KeyboardInterrupt):
        robustzoo.certify(model, x, y, 0.03, **CASCADE, journal=folder)
    assert asked == ["ibp"] * 6 + ["crown"] * 2 and len(list(folder.iterdir())) == 1
    del asked[:]


def test_goes_on_after_an_interruption(tmp_path, asked):
    model = residual()
    x, y = images(model, 6)
    interrupted(asked, model, x, y, tmp_path)
    again = robustzoo.certify(model, x, y, 0.03, **CASCADE, journal=tmp_path)
    assert asked == ["crown"] and not list(tmp_path.iterdir())
    del asked[:]
    asked += ["before"] * 10  # fails no more
    whole = robustzoo.certify(model, x, y, 0.03, **CASCADE, journal=tmp_path)
    for name in whole.margins:
        np.testing.assert_array_equal(again.margins[name], whole.margins[name])
    np.testing.assert_array_equal(again.certified, whole.certified)
    assert again.seconds == whole.seconds == 1 + 8


@pytest.mark.parametrize(
    "other",
    [{"tolerance": np.float32(0.001)}, {"eps": 0.02}, {"clip": False}, {"seconds": 9}, "images"],
    ids=str,
)
def test_an_interrupted_certificate_is_not_taken_for_another(tmp_path, asked, other):
    model = residual()
    x, y = images(model, 6)
    interrupted(asked, model, x, y, tmp_path)
    asked += ["before"] * 10
    if other == "images":
        robustzoo.certify(model, x[::-1], y[::-1], 0.03, **CASCADE, journal=tmp_path)
    else:
        given = (
            {"threat": 0.03}
            | CASCADE
            | {"threat" if k == "eps" else k: v for k, v in other.items()}
        )
        robustzoo.certify(model, x, y, **given, journal=tmp_path)
    assert asked[10:16] == ["ibp"] * 6


def test_an_interrupted_certificate_is_not_taken_for_that_of_another_net(tmp_path, asked):
    """Of the same weights, and the same logits of every image; around those they differ."""

    def net(bend):
        x = inputs = keras.Input((1, 1, 1), name="x")
        for layer in (layers.Flatten(name="a"), layers.Dense(1, name="b"), bend):
            x = layer(x)
        model = keras.Model(inputs, layers.Dense(2, name="d")(x), name="net")
        values = [[1.0]], [-0.2], [[1.0, 0.0]], [0.02, 0.0]
        model.set_weights([np.array(value, "float32") for value in values])
        return model

    bent, leaky = net(layers.ReLU(name="c")), net(layers.LeakyReLU(negative_slope=0.9, name="c"))
    x, y = np.full((9, 1, 1, 1), 0.5, "float32"), np.zeros(9, int)
    options = {"threat": 0.4, "method": "ibp", "batch_size": 1, "journal": tmp_path}
    with pytest.raises(KeyboardInterrupt):
        robustzoo.certify(bent, x, y, **options)
    assert robustzoo.certify(leaky, x, y, **options).accuracy == 0.0
    assert robustzoo.certify(bent, x, y, **options).accuracy == 1.0
    assert len(asked) == 8 + 9 + 2


def test_rounding_where_large_numbers_cancel_is_not_certified():
    """Bounds in float32 certified it: of 12 terms of about 1000 their rounding is what is left."""
    generator = np.random.default_rng(1)
    kernel = generator.uniform(-200, 200, (2, 12)).astype("float32")
    bias = generator.uniform(900, 1100, 12).astype("float32")
    signs = generator.uniform(0.5, 1.5, (12, 1)).astype("float32") * np.repeat([[1], [-1]], 6, 0)
    x = np.full((1, 1, 2, 1), 0.5, "float32")
    z = corners(x[0], 0.01)
    hidden = np.maximum(z.reshape(-1, 2) @ kernel.astype("float64") + bias, 0) @ signs
    net = [layers.Dense(12, activation="relu"), layers.Dense(1, activation="relu")]
    model = keras.Sequential([keras.Input((1, 2, 1)), layers.Flatten(), *net, layers.Dense(2)])
    # At one corner the unit before the logits is 2e-5, and the second logit 20.
    last = 2e-5 - hidden.max(0), [[0.0, 1e6]], [1.0, 0.0]
    model.set_weights([kernel, bias, signs.astype("float32"), *map(np.array, last)])
    proof = robustzoo.certify(model, x, np.array([0]), 0.01, tuple(METHODS))
    assert Certifier(model, Linf).logits(z).argmax(axis=1).any()
    assert proof.correct[0] and not proof.certified[0]


def sequential(*parts):
    """A net of two pixels by its Dense layers' (kernel, bias, activation)."""
    net = [layers.Dense(len(bias), activation=bend) for _, bias, bend in parts]
    model = keras.Sequential([keras.Input((1, 2, 1)), layers.Flatten(), *net])
    model.set_weights([np.array(w, "float32") for part in parts for w in part[:2]])
    return model


def test_a_model_that_rounds_more_than_the_tolerance_is_not_certified(tmp_path):
    """Of hidden units of 6e6 a logit of 0.9 is what is left: in float32 half of the ball is wrong.

    No bound sees that, for they are of real numbers, and the logits themselves are small.
    """
    hidden = [[1.0, 0.0, 2.1e7], [0.0, 0.0, 0.0]], [0.0, 1.0, 0.0], "relu"
    model = sequential(hidden, ([[0.0, -2.1e7], [0.9, 0.6], [0.0, 1.0]], [0.0, 0.0], None))
    x, y = np.full((1, 1, 2, 1), 0.3, "float32"), np.array([0])
    z = np.linspace(0.1, 0.5, 1001, dtype="float32").reshape(-1, 1, 1, 1) + 0 * x
    wrong = keras.ops.convert_to_numpy(model(z)).argmax(axis=1) == 1
    proof = robustzoo.certify(model, x, y, 0.2)
    assert wrong.any() and proof.correct[0] and not proof.certified[0]
    assert "The model rounds 1 images by more" in str(proof)
    assert certified_radius(model, x, y) == 0.0
    proof.save(tmp_path / "proof.json")
    again = Certificate.read(tmp_path / "proof.json")
    assert np.isinf(again.scale[0]) and not again.certified[0]
    assert robustzoo.certify(model, x, y, 0.2, tolerance=0.0).certified[0]  # of real numbers


@pytest.mark.parametrize("method", METHODS)
def test_nothing_is_certified_of_what_float64_cannot_hold(method):
    """Of hidden bounds some are NaN, and once counted as those of units that are off."""
    wide = [([[3e38], [0.0]], [0.0], "relu"), *[([[3e38]], [0.0], "relu")] * 9]
    model = sequential(*wide, ([[-3e38, 0.0]], [1.0, 0.0], None))
    x, y = np.zeros((2, 1, 2, 1), "float32"), np.zeros(2, int)
    certifier = Certifier(model, Linf)
    assert (certifier.margins(method, x, y, 0.5) == -np.inf).all()
    alone = certifier.margins("ibp", x, y, np.array([0.0, 0.5]))  # of the first all is known
    np.testing.assert_array_equal(alone, [[np.inf, 1.0], [-np.inf, -np.inf]])
    assert robustzoo.certify(model, x, y, 0.5, method).accuracy == 0.0


def test_what_the_deployed_model_answers_by_rounding_is_not_certified():
    """-||z||^2 / 2, which all classes share, is 2^29 here, where float32 has steps of 64."""
    dense, head = layers.Dense(2), CenterLogits(2, "random", 1.0)
    model = keras.Sequential([keras.Input((1, 1, 1)), layers.Flatten(), dense, head])
    head.set_weights([np.array([[0.5, 0.0], [-0.5, 0.0]])])
    dense.set_weights([np.array([[0.0, 1.0]]), np.array([1.0, 2.0**15])])
    proof = robustzoo.certify(model, np.full((1, 1, 1, 1), 0.5), np.array([0]), 0.1)
    assert Certifier(model, Linf).logits(np.full((1, 1, 1, 1), 0.5)).argmax() == 0
    assert proof.correct[0] and proof.scale[0] > 2.0**28 and not proof.certified.any()
    head.set_weights([np.array([[-0.5, 0.0], [0.5, 0.0]])])  # of equal logits the first wins
    proof = robustzoo.certify(model, np.full((1, 1, 1, 1), 0.5), np.array([1]), 0.1, tolerance=0.0)
    assert not proof.correct[0] and not proof.certified[0]


def test_is_the_same_from_a_file(tmp_path):
    model = residual()
    x, y = images(model, 4)
    y[0] = (y[0] + 1) % 3
    proof = robustzoo.certify(model, x, y, L1(0.2), ("ibp", "wong-kolter"), clip=False)
    proof.save(tmp_path / "proof.json")
    again = Certificate.read(tmp_path / "proof.json")
    assert str(again) == str(proof) and again.to_dict() == proof.to_dict()
    np.testing.assert_array_equal(again.margin, proof.margin)
    assert proof.to_dict()["certified_accuracy"] == round(proof.accuracy, 6)
    (tmp_path / "other.json").write_text('{"threat": 3}')
    with pytest.raises(ValueError, match="other.json is not a certificate"):
        Certificate.read(tmp_path / "other.json")


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="JAX has 64 bits only if asked for")
def test_slopes_are_searched_in_float32_whatever_keras_computes_in(float64_by_default):
    model = residual()
    x, y = images(model, 2)
    found = Certifier(model, Linf).margins("alpha-crown", x, y, 0.05)
    keras.config.set_floatx("float32")
    expected = Certifier(model, Linf).margins("alpha-crown", x, y, 0.05)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_rows_of_units_are_of_float32_whatever_keras_computes_in(float64_by_default):
    """As windows, as whole images, and behind what is no convolution."""
    graph = Graph(residual())
    weights, ones = graph.read(FLOAT32), keras.ops.ones(2, "float32")
    for place in graph.bent:
        source, rows, _ = unit_rows(FLOAT32, graph, weights, place, FLOAT32.arange(2), ones)
        found = [rows]
        if hasattr(rows, "whole"):
            found = [rows.values, rows.whole(FLOAT32, graph[source].shape)]
        assert {keras.backend.standardize_dtype(x.dtype) for x in found} == {"float32"}


def test_names_the_model_and_the_data_as_an_evaluation_does():
    model = residual()
    x, y = images(model, 4)
    proof = robustzoo.certify(model, x, y, 0.01, "ibp")
    report = robustzoo.evaluate(model, (x, y), Linf(0.01), {}, checks=False)
    assert (proof.model_sha256, proof.data_sha256) == (report.model, report.data)
    other = robustzoo.certify(randomised(residual(), 7), x[:3], y[:3], 0.01, "ibp")
    assert other.model_sha256 != proof.model_sha256 and other.data_sha256 != proof.data_sha256
    assert proof.to_dict()["model_sha256"] == proof.model_sha256


def test_the_radius_is_certified_and_about_the_largest():
    model = residual()
    x, y = images(model, 4)
    y[0] = (y[0] + 1) % 3
    for norm, largest in ((Linf, 0.5), (L2, 2.0)):
        radii = certified_radius(model, x, y, norm, "ibp", largest=largest, steps=10)
        assert radii[0] == 0 and (radii[1:] > 0).all() and (radii < largest).all()
        for i in range(1, 4):
            one = x[i : i + 1], y[i : i + 1]
            assert robustzoo.certify(model, *one, norm(radii[i]), "ibp").certified.all()
            above = radii[i] + 1.01 * largest / 2**10  # intervals shrink with eps
            assert not robustzoo.certify(model, *one, norm(above), "ibp").certified.any()


def test_the_radius_is_of_a_norm():
    model = residual()
    x, y = images(model, 1)
    with pytest.raises(ValueError, match="class Linf, L2 or L1. Received: 'l2'"):
        certified_radius(model, x, y, "l2")
    with pytest.raises(ValueError, match="steps must be an integer >= 1. Received: -3"):
        certified_radius(model, x, y, steps=-3)


def test_the_radius_by_several_methods_is_no_smaller():
    model = residual()
    x, y = images(model, 4)
    done = []
    both = certified_radius(
        model, x, y, Linf, ("ibp", "crown-zero"), largest=0.2, steps=6, batch_size=3,
        advance=lambda *counts: done.append(counts),
    )  # fmt: skip
    alone = certified_radius(model, x, y, Linf, "ibp", largest=0.2, steps=6)
    assert (both >= alone).all() and (both > alone).any() and done == [(3, 4), (4, 4)]


def test_a_layer_without_bounds_is_named():
    inputs = keras.Input(SHAPE)
    x = Noise(0.1, seed=1, name="haze")(inputs)
    model = keras.Model(inputs, layers.Dense(3)(layers.Flatten()(x)))
    with pytest.raises(ValueError, match="'haze', a Noise; there are those of .*Conv2D.*closest"):
        Graph(model)
    for layer in (
        layers.Conv2D(2, 3, dilation_rate=2, name="odd"),
        layers.Conv2D(2, 3, groups=2, name="odd"),
        layers.Conv2D(2, 3, activation="gelu", name="odd"),
        layers.ReLU(max_value=6.0, name="odd"),
        layers.LeakyReLU(negative_slope=1.5, name="odd"),
        layers.ReLU(threshold=0.1, name="odd"),
        layers.BatchNormalization(axis=1, name="odd"),
        layers.AveragePooling2D(2, data_format="channels_first", name="odd"),
    ):
        with pytest.raises(ValueError, match="'odd'.*valid"):
            Graph(keras.Sequential([keras.Input(SHAPE), layer]))


@pytest.mark.parametrize(
    ("units", "join", "message"),
    [
        (1, layers.Add(name="odd"), "'odd' adds tensors of different shapes"),
        (4, layers.Concatenate(axis=0, name="odd"), "'odd', a Concatenate with axis=0; valid: 1,"),
        (4, lambda parts: parts[0] + parts[1], "'add.*', a Add of keras.ops, which is no layer"),
    ],
)
def test_what_joins_tensors_otherwise_is_refused(units, join, message):
    inputs = keras.Input((4,))
    model = keras.Model(inputs, layers.Dense(3)(join([inputs, layers.Dense(units)(inputs)])))
    with pytest.raises(ValueError, match=message):
        Graph(model)


@pytest.mark.parametrize(
    ("shape", "parts", "message"),
    [
        (SHAPE, [layers.Flatten(), layers.Dense(1)], r"two classes or more. .*\(1,\)"),
        (SHAPE, [layers.GlobalAveragePooling2D(keepdims=True)], r"of logits .*\(1, 1, 2\)"),
        (
            (None, None, 2),
            [layers.GlobalAveragePooling2D(), layers.Dense(3)],
            r"images of one size. .*\(None, None, 2\)",
        ),
    ],
)
def test_what_is_no_classifier_of_images_is_refused(shape, parts, message):
    with pytest.raises(ValueError, match=message):
        Certifier(keras.Sequential([keras.Input(shape), *parts]), Linf)


class Own(keras.Model):
    """Refuted everywhere, though its graph is not."""

    def __init__(self, model):
        super().__init__(model.inputs, model.outputs)

    def call(self, z):
        return -super().call(z)


def test_a_call_of_its_own_is_refused():
    model = Own(residual())
    x, y = images(residual())
    inputs = keras.Input(SHAPE)
    for wrong in (model, keras.Model(inputs, model(inputs)), keras.Sequential([inputs, model])):
        with pytest.raises(ValueError, match="of type Own, which has another"):
            robustzoo.certify(wrong, x, y, 0.01, "ibp")


@pytest.mark.parametrize(
    "layer",
    [
        layers.Dropout(0.5, name="odd"),
        layers.BatchNormalization(name="odd"),
        layers.GaussianNoise(1.0, name="odd"),
        keras.Sequential([keras.Input((60,)), layers.Dropout(0.5)], name="odd"),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_training_within_a_model_is_refused(layer):
    inputs = keras.Input(SHAPE)
    x = layer(layers.Flatten()(inputs), training=True)
    model = keras.Model(inputs, layers.Dense(3)(x))
    with pytest.raises(ValueError, match="'odd', a .* called with training=True"):
        Graph(model)
    with pytest.raises(ValueError, match="'odd' called with training=True"):
        base_classifier(keras.Sequential([keras.Input(SHAPE), model]))


def test_average_pooling_that_torch_does_otherwise_is_refused_there(monkeypatch):
    """Keras on torch repeats the border where the margins of "same" differ, others leave it out."""
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    for size, strides, refused in ((3, 2, True), (3, 3, False), (2, 2, False)):
        pool = layers.AveragePooling2D(size, strides, padding="same")
        model = keras.Sequential([keras.Input((6, 6, 1)), pool, layers.Flatten(), layers.Dense(2)])
        if refused:
            with pytest.raises(ValueError, match="padding='same'; valid: 'valid'"):
                Graph(model)
        else:
            assert Graph(model).nodes


def test_lower_precision_is_refused():
    net = [keras.Input(SHAPE), layers.Flatten()]
    for dtype in ("mixed_bfloat16", "bfloat16", "float16"):
        with pytest.raises(ValueError, match="'odd', which does in b?float16; load or build"):
            Graph(keras.Sequential([*net, layers.Dense(3, dtype=dtype, name="odd")]))
    inputs = keras.Input(SHAPE, dtype="uint8")
    with pytest.raises(ValueError, match="casts its own to uint8"):
        Graph(keras.Model(inputs, layers.Dense(3)(layers.Flatten()(inputs))))


def test_rescaling_is_by_one_number_or_per_channel():
    for option in ({"offset": np.ones((5, 1))}, {"scale": np.ones((1, 2, 2))}):
        with pytest.raises(ValueError, match=f"with {[*option][0]} of shape .* channel, .2,."):
            layer = layers.Rescaling(**{"scale": 1.0} | option)
            Graph(keras.Sequential([keras.Input(SHAPE), layer]))


def test_normalisation_of_an_architecture_is_bounded_as_a_rescaling_per_channel():
    margins = []
    for scale in ([2.0, 5.0], [[[2.0, 5.0]]]):
        net = [layers.Rescaling(scale, [-1.0, 0.5]), layers.Flatten(), layers.Dense(3)]
        model = keras.Sequential([keras.Input((2, 2, 2)), *net])
        model.layers[-1].kernel.assign(np.linspace(-1, 1, 24).reshape(8, 3).astype("float32"))
        x = np.full((1, 2, 2, 2), 0.5, "float32")
        y = np.array([int(np.argmax(model(x)))], "int32")
        margins.append(robustzoo.certify(model, x, y, Linf(0.01), "ibp").margin)
    np.testing.assert_array_equal(*margins)


def test_center_logits_have_bounds_as_the_last_layer_alone():
    inputs = keras.Input((4,))
    centers = CenterLogits(3, "random", 1.0)(inputs)
    Graph(keras.Model(inputs, centers))
    with pytest.raises(ValueError, match="the last layer alone.*Received: Dense after it"):
        Graph(keras.Model(inputs, layers.Dense(3)(centers)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "crwn"}, "'crwn'; closest: 'crown'"),
        ({"method": ()}, "Received: none"),
        ({"threat": "0.1"}, "threat must be Linf, L2 or L1"),
        ({"threat": True}, "threat must be Linf, L2 or L1"),
        ({"threat": np.float32(-0.1)}, "eps must be a finite number >= 0"),
        ({"tolerance": -1.0}, "tolerance must be"),
        ({"tolerance": "1e-4"}, "tolerance must be"),
        ({"memory": "1GiB"}, "memory must be"),
        ({"memory": 0}, "memory must be"),
        ({"batch_size": 0}, "batch_size must be"),
        ({"seconds": 0.0}, "seconds must be"),
        ({"labels": np.array([7])}, "labels must lie in 0 .. 2"),
        ({"images": np.full((1, *SHAPE), 2.0)}, "images must lie in"),
        ({"threat": L2(0.1), "method": "lp"}, "Linf and L1 balls"),
    ],
)
def test_refuses(options, message):
    model = residual()
    x, y = images(model, 1)
    arguments = {"images": x, "labels": y, "threat": Linf(0.01), "method": "ibp"} | options
    with pytest.raises(ValueError, match=message):
        robustzoo.certify(model, **arguments)


def test_a_program_refuses_curves():
    model = randomised(
        keras.Sequential(
            [
                keras.Input(SHAPE),
                layers.Flatten(),
                layers.Dense(3, activation="tanh"),
                layers.Dense(3),
            ]
        )
    )
    x, y = images(model, 1)
    with pytest.raises(ValueError, match="piecewise linear nets. Received: .* a Tanh"):
        robustzoo.certify(model, x, y, 0.01, "milp")
