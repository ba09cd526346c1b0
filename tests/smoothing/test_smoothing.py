"""Randomised smoothing against closed forms and SciPy, and on models that draw noise themselves."""

import itertools
import sys
import types
import warnings

import keras
import numpy as np
import pytest
from keras import layers
from scipy import stats
from tiny import tiny_batch, tiny_classifier, tiny_linear, values

from robustzoo.architectures import noisy
from robustzoo.layers import Noise
from robustzoo.smoothing import (
    SmoothedCertificate,
    base_classifier,
    certify_smoothed,
    lower_bound,
    predict,
)

X = tiny_batch(6)[0]


def linear_at(margins, sigma):
    """A linear model, images whose margin z_0 - z_1 is `margins` sigma ||w||, and ||w||."""
    model = tiny_linear()
    kernel, bias = (keras.ops.convert_to_numpy(v) for v in model.layers[-1].weights)
    w, b = (kernel[:, 0] - kernel[:, 1]).astype("float64"), float(bias[0] - bias[1])
    norm = np.linalg.norm(w)
    base = np.full(w.shape, 0.5)
    gaps = np.asarray(margins) * sigma * norm - (base @ w + b)
    images = base + gaps[:, None] * w / norm**2
    assert 0 < images.min() and images.max() < 1
    return model, images.reshape(-1, 8, 8, 3).astype("float32"), norm


def certify(model, x, y=None, sigma=0.25, **options):
    y = np.zeros(len(x), int) if y is None else y
    return certify_smoothed(model, x, y, sigma, **options)


@pytest.mark.parametrize(("draws", "alpha"), [(10, 0.05), (1000, 0.001), (100_000, 0.001)])
def test_the_lower_bound_is_that_of_clopper_and_pearson(draws, alpha):
    hits = np.unique(np.linspace(0, draws, 9).astype(int))
    for k, bound in zip(hits, lower_bound(hits, draws, alpha), strict=True):
        # A two-sided interval leaves half of what it misses on either side.
        interval = stats.binomtest(int(k), draws).proportion_ci(1 - 2 * alpha, "exact")
        assert bound == pytest.approx(interval.low, rel=1e-9, abs=1e-12)


def test_no_radius_exceeds_the_ceiling():
    for n, ceiling in ((1000, 2.46), (100_000, 3.81)):  # in sigmas, at alpha = 0.001
        sure = SmoothedCertificate(2.0, 100, n, 0.001, 0, *np.array([[3], [3], [n]]), 1.5)
        assert sure.ceiling == pytest.approx(2 * stats.norm.ppf(0.001 ** (1 / n)), rel=1e-9)
        assert sure.ceiling / 2 == pytest.approx(ceiling, abs=5e-3)
        assert sure.radius[0] == sure.ceiling


def test_the_radius_of_a_linear_model_is_approached_from_below():
    """There P(f(x + e) = 0) = Phi(margin / (sigma ||w||)), so the radius is margin / ||w||."""
    sigma, margins = 0.1, np.array([0.3, 0.6, 1.0, 1.4])
    model, x, _ = linear_at(margins, sigma)
    gaps = []
    for n in (1000, 20_000):
        proof = certify(model, x, sigma=sigma, n=n, batch_size=5000)
        assert (proof.predicted == 0).all() and proof.accuracy() == 1
        gaps.append(sigma * margins - proof.radius)
        assert (gaps[-1] > 0).all()
        np.testing.assert_allclose(proof.hits / n, stats.norm.cdf(margins), atol=4 / n**0.5)
    assert (gaps[1] < gaps[0] / 3).all() and (gaps[1] < 0.05 * sigma).all()


def test_counts_draws_that_did_not_choose_the_class():
    model, x, _ = linear_at([0.1, -0.1, 0.0, 0.0, 0.0, 0.0], 0.1)
    proof = certify(model, x, sigma=0.1, n0=5, n=300, seed=7)
    most = []  # the class that the counted draws prefer, and may not choose
    for i, image in enumerate(x):
        noise = np.random.default_rng([7, i]).standard_normal((305, 8, 8, 3), "float32")
        drawn = keras.ops.convert_to_numpy(model(image + 0.1 * noise)).argmax(axis=1)
        assert proof.classes[i] == np.bincount(drawn[:5], minlength=2).argmax()
        assert proof.hits[i] == np.sum(drawn[5:] == proof.classes[i])
        most.append(np.bincount(drawn[5:], minlength=2).argmax())
    assert (proof.classes != most).any()


def test_noise_is_not_clipped():
    """Pixels at 1 would gain nothing from noise that is cut off there."""
    kernel = np.zeros((192, 2), "float32")
    kernel[:, 0] = 1.0
    model = tiny_linear()
    model.set_weights([kernel, np.array([0.0, 192.0])])  # class 0 if the pixels' sum exceeds 192
    counts = certify(model, np.ones((1, 8, 8, 3), "float32"), n=2000).hits
    assert abs(int(counts[0]) - 1000) < 200


def test_abstains_where_both_classes_are_as_likely():
    model, x, _ = linear_at([0.0, 1.0, -1.0], 0.1)
    proof = certify(model, x, sigma=0.1)
    assert proof.predicted.tolist() == [-1, 0, 1] and proof.radius[0] == 0 < proof.radius[1]
    assert proof.accuracy() == pytest.approx(1 / 3)
    assert predict(model, x, 0.1).tolist() == [-1, 0, 1]


def test_predict_tests_the_two_most_frequent_classes(monkeypatch):
    counts = np.array([[50, 50, 0], [10, 31, 59], [64, 36, 0], [36, 0, 64], [2, 1, 0], [0, 1, 99]])
    monkeypatch.setattr(sys.modules[predict.__module__], "votes", lambda *_: (counts[None], 0.0))
    found = predict(tiny_linear(3), X, 0.1, draws=100, alpha=0.01)
    for label, row in zip(found, counts, strict=True):
        second, first = sorted(row)[1:]
        test = stats.binomtest(int(first), int(first + second))
        assert label == (row.argmax() if test.pvalue <= 0.01 else -1)
    assert found.tolist() == [-1, 2, 0, 2, -1, 2]


def test_depends_on_the_seed_and_the_place_alone():
    model, x = tiny_classifier(), X
    before = values(model)
    whole = certify(model, x, sigma=0.5, n=150, n0=7)
    assert 0 < whole.hits.min() < 150
    for batch_size in (1000, 64, 10):
        again = certify(model, x[:2], sigma=0.5, n=150, n0=7, batch_size=batch_size)
        np.testing.assert_array_equal(again.hits, whole.hits[:2])
    assert (certify(model, x, sigma=0.5, n=150, n0=7, seed=1).hits != whole.hits).any()
    for old, new in zip(before, values(model), strict=True):
        np.testing.assert_array_equal(old, new)


def test_equal_images_get_noise_of_their_own():
    model, x, _ = linear_at([0.0, 0.0], 0.1)
    first, second = certify(model, x).hits
    assert first != second


def test_tells_of_every_image_once():
    for batch_size in (7, 500):
        told = []
        certify(tiny_linear(), X, n=20, n0=5, batch_size=batch_size, advance=told.append)
        assert sum(told) == len(X)


def test_goes_on_after_an_interruption(tmp_path, monkeypatch):
    """Images whose draws are counted are not drawn anew, by the same call alone."""
    module = sys.modules["robustzoo.smoothing._votes"]
    options = {"sigma": 0.5, "n": 150, "n0": 7, "batch_size": 100, "journal": tmp_path}
    model = tiny_classifier()
    whole = certify(model, X, **options)
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr(module, "EVERY", 0.0)

    def interrupted(count):
        told.append(count)
        if sum(told) >= 3:
            raise KeyboardInterrupt

    told = []
    with pytest.raises(KeyboardInterrupt):
        certify(model, X, **options, advance=interrupted)
    assert len(list(tmp_path.iterdir())) == 1
    told = []
    again = certify(model, X, **options, advance=told.append)
    assert told[0] == 3 and sum(told) == len(X) and not list(tmp_path.iterdir())
    np.testing.assert_array_equal(again.hits, whole.hits)
    np.testing.assert_array_equal(again.classes, whole.classes)
    told = []
    with pytest.raises(KeyboardInterrupt):
        certify(model, X, **options, advance=interrupted)
    for other in ({"sigma": 0.4}, {"n": 151}, {"seed": 1}):
        told = []
        certify(model, X, **options | other, advance=told.append)
        assert told[0] < 3
    # It differs where noise leaves [0, 1], and at no image.
    cut = keras.Sequential([keras.Input((8, 8, 3)), layers.ReLU(max_value=1.0), model])
    for other in ((cut, X), (tiny_classifier(seed=1), X), (model, X[::-1])):
        told = []
        certify(*other, **options, advance=told.append)
        assert told[0] < 3


def test_an_interrupted_certificate_counts_all_seconds(tmp_path, monkeypatch):
    module, ticks = sys.modules["robustzoo.smoothing._votes"], itertools.count()
    # A second passes whenever the clock is read.
    monkeypatch.setattr(module, "time", types.SimpleNamespace(monotonic=lambda: next(ticks)))
    monkeypatch.setattr(module, "EVERY", 0.0)
    options = {"sigma": 0.5, "n": 50, "n0": 7, "batch_size": 57, "journal": tmp_path}
    model = tiny_classifier()
    whole = certify(model, X, **options).seconds

    def interrupted(count):
        told.append(count)
        if len(told) == 4:
            raise KeyboardInterrupt

    told = []
    with pytest.raises(KeyboardInterrupt):
        certify(model, X, **options, advance=interrupted)
    assert whole == len(X) + 1 == certify(model, X, **options).seconds


def test_the_certificate_is_the_same_from_a_file_and_names_its_limits(tmp_path):
    model, x, _ = linear_at([0.0, 1.0, 2.0, 3.0], 0.25)
    proof = certify(model, x, np.array([0, 0, 1, 0]))
    assert proof.accuracy() == 0.5 and proof.accuracy(0.4) == 0.25 and proof.accuracy(1.0) == 0
    assert list(proof.curve()) == [0.0, 0.25, 0.5]
    assert "certified accuracy 50.00% at 0, 25.00% at 0.25, 25.00% at 0.5 (L2" in str(proof)
    assert "probability 0.999" in str(proof) and "not about the model itself" in str(proof)
    proof.save(tmp_path / "proof.json")
    again = SmoothedCertificate.read(tmp_path / "proof.json")
    assert str(again) == str(proof) and again.to_dict() == proof.to_dict()
    np.testing.assert_array_equal(again.radius, proof.radius)
    assert again.seconds == proof.seconds > 0
    assert proof.to_dict()["abstained"] == 0.25
    assert '"predicted": [null, 0, 0, 0]' in (tmp_path / "proof.json").read_text()
    (tmp_path / "other.json").write_text('{"sigma": 1}')
    with pytest.raises(ValueError, match="other.json is not a smoothed certificate"):
        SmoothedCertificate.read(tmp_path / "other.json")


@pytest.mark.parametrize("draws", [1, 3])
def test_of_noise_on_the_image_the_net_behind_is_taken(draws):
    base = tiny_classifier()
    model = noisy(base, image=0.25, inner=0.0, draws=draws)
    with pytest.warns(UserWarning, match="noise of 'image_noise' is left out"):
        found = base_classifier(model)
    np.testing.assert_allclose(*(keras.ops.convert_to_numpy(f(X)) for f in (base, found)), 1e-5)


def test_refuses_models_that_draw_elsewhere():
    inputs = keras.Input((8, 8, 3))
    late = Noise(0.1, seed=1, name="late")(keras.layers.Rescaling(2.0)(inputs))
    late = keras.Model(inputs, tiny_linear()(late))
    seen = keras.layers.Add()([inputs, Noise(0.1, seed=1, name="side")(inputs)])
    seen = keras.Model(inputs, tiny_linear()(seen))
    nested = keras.Model(inputs, late(inputs))
    for model, name in (
        (noisy(tiny_classifier_of_two(), 0.2, 0.1), "conv2d"),
        (late, "late"),
        (seen, "side"),
        (nested, "late"),
    ):
        with pytest.raises(ValueError, match=f"noise on its images alone.*{name}"):
            certify(model, X)


def tiny_classifier_of_two():
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.Conv2D(2, 3),
            keras.layers.Conv2D(2, 3),
            keras.layers.Flatten(),
            keras.layers.Dense(4),
        ]
    )


def test_what_keras_silences_in_inference_is_no_noise():
    silent = keras.Sequential(
        [keras.Input((8, 8, 3)), keras.layers.GaussianNoise(1.0), tiny_classifier(0.5), Noise(0.0)]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert base_classifier(silent) is silent
    plain = certify(tiny_classifier(0.5), X, n=50)
    np.testing.assert_array_equal(certify(silent, X, n=50).hits, plain.hits)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sigma": 0.0}, "sigma must be a finite number > 0"),
        ({"sigma": float("nan")}, "sigma must be"),
        ({"sigma": True}, "sigma must be"),
        ({"alpha": 1.0}, "alpha must lie in"),
        ({"n": 0}, "n must be an integer >= 1. Received: 0"),
        ({"n0": 1.5}, "n0 must be"),
        ({"n": 9}, "at alpha 0.001 n must be at least 10"),
        ({"seed": -1}, "seed must be an integer >= 0"),
        ({"batch_size": 0}, "batch_size must be"),
        ({"y": np.full(6, 9)}, "labels must lie in 0 .. 1"),
        ({"x": X * 255}, "images must lie in"),
    ],
)
def test_refuses(options, message):
    with pytest.raises(ValueError, match=message):
        certify(tiny_linear(), **{"x": X, **options})
