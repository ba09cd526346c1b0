"""Pairs, abstention, the model whose last class is rejection, and attacks on it."""

import numpy as np
import pytest
from detectors import EXAMPLES, fit, training_data
from keras import ops
from tiny import tiny_classifier

from robustzoo import detect
from robustzoo.attacks import PGD, CarliniWagner, generate
from robustzoo.detect.figures import embedding_figure, roc_figure
from robustzoo.threats import Linf

X, Y, ADVERSARIAL = training_data()


def classes(model, x):
    return ops.convert_to_numpy(model(x)).argmax(axis=1).astype("int32")


@pytest.fixture(scope="module")
def model():
    """A net that sees all classes among the images."""
    model = tiny_classifier()
    model.get_layer("head").bias.assign(-ops.mean(model(X), axis=0))
    return model


@pytest.fixture(scope="module")
def detector(model):
    """Kernel density around what the model itself calls each class."""
    return detect.KernelDensity(model, variance=0.05).fit(X, classes(model, X))


def test_pairs_are_right_when_clean_and_wrong_when_attacked(model):
    labels = classes(model, X)
    labels[::3] = (labels[::3] + 1) % 4
    expected = (classes(model, X) == labels) & (classes(model, ADVERSARIAL) != labels)
    np.testing.assert_array_equal(detect.pairs(model, X, labels, ADVERSARIAL), expected)
    with pytest.raises(ValueError, match="60 images have 59"):
        detect.pairs(model, X, labels, ADVERSARIAL[1:])


def test_roc_is_that_of_the_pairs(detector, model):
    labels = classes(model, X)
    rows = detect.pairs(model, X, labels, ADVERSARIAL)
    assert 0 < rows.sum() < len(X)
    curve = detect.roc(detector, X, labels, ADVERSARIAL)
    np.testing.assert_allclose(curve.clean, detector.score(X[rows]), rtol=1e-5)
    np.testing.assert_allclose(curve.adversarial, detector.score(ADVERSARIAL[rows]), rtol=1e-5)
    with pytest.raises(ValueError, match="no image is right"):
        detect.roc(detector, X, labels, X)


@pytest.mark.parametrize("make", EXAMPLES.values(), ids=EXAMPLES.keys())
def test_the_last_class_wins_where_it_abstains(make, model):
    detector = fit(make(model), X, Y, ADVERSARIAL)
    threshold = detect.threshold(detector.score(X), 0.3)
    found = detect.abstain(detector, X, threshold)
    assert found.dtype == "int32" and 0 < (found == -1).mean() <= 0.3
    np.testing.assert_array_equal(found[found >= 0], classes(model, X)[found >= 0])
    sure = np.abs(detector.score(X) - threshold) > 1e-3
    whole = detect.abstaining(detector, threshold)
    assert whole.output_shape == (None, 5)
    np.testing.assert_array_equal(classes(whole, X)[sure], np.where(found < 0, 4, found)[sure])


@pytest.mark.parametrize("threshold", [float("nan"), "0", None])
def test_a_threshold_is_a_finite_number(detector, threshold):
    with pytest.raises(ValueError, match="threshold must be a finite number"):
        detect.abstaining(detector, threshold)


def test_evasion_is_zero_where_wrong_and_accepted():
    logits = np.array(
        [
            [3.0, 1.0, 0.0, 2.0],  # right: the way to go
            [1.0, 3.0, 0.0, 2.0],  # wrong and accepted
            [1.0, 3.0, 0.0, 7.5],  # wrong, 4.5 short of the threshold
            [3.0, 1.0, 0.0, 9.0],  # right, rejected: the class comes first
        ],
        "float32",
    )
    found = detect.evasion(ops.zeros(4, "int32"), ops.convert_to_tensor(logits))
    np.testing.assert_allclose(ops.convert_to_numpy(found), [-3.0, 0.0, -4.5 / 5.5, -3.0])


def test_an_attack_that_knows_the_detector_deceives_it(detector, model):
    labels = classes(model, X)
    threshold = detect.threshold(detector.score(X), 0.1)
    blind = PGD(Linf(0.1), 0.01, 30)
    knowing = PGD(Linf(0.1), 0.01, 30, loss=detect.evasion)

    def deceived(z):
        found = detect.abstain(detector, z, threshold)
        return ((found != labels) & (found != -1)).mean()

    one = deceived(generate(blind, model, X, labels))
    other = deceived(generate(knowing, detect.abstaining(detector, threshold), X, labels))
    assert other > one + 0.3


def test_carlini_wagner_reaches_a_class_only_where_it_is_accepted(detector, model):
    threshold = detect.threshold(detector.score(X), 0.5)
    attack = CarliniWagner(
        initial_c=1.0, searches=3, iterations=50, learning_rate=0.05, targeted=True
    )
    target = ((classes(model, X[:12]) + 1) % 4).astype("int32")
    z = generate(attack, detect.abstaining(detector, threshold), X[:12], target)
    moved = np.abs(z - X[:12]).max(axis=(1, 2, 3)) > 0
    assert moved.any()
    np.testing.assert_array_equal(detect.abstain(detector, z[moved], threshold), target[moved])


def test_figures_are_png(detector, model):
    pytest.importorskip("matplotlib")
    pytest.importorskip("sklearn")
    curve = detect.roc(detector, X, classes(model, X), ADVERSARIAL)
    assert roc_figure({"kernel density": curve}).startswith(b"\x89PNG")
    points = detect.embedding(detector.features(np.concatenate([X, ADVERSARIAL])), perplexity=10)
    assert points.shape == (120, 2) and np.isfinite(points).all()
    adversarial = np.arange(120) >= 60
    panels = {"tiny": (points, np.concatenate([Y, Y]), adversarial)}
    picture = embedding_figure(panels, ("a", "b", "c", "d"))
    assert picture.startswith(b"\x89PNG")
    assert picture != embedding_figure({"tiny": (points, panels["tiny"][1], ~adversarial)}, "abcd")
    with pytest.raises(ValueError, match="10 colours"):
        embedding_figure(panels, tuple("abcdefghijk"))
    with pytest.raises(ValueError, match="perplexity"):
        detect.embedding(points[:5])
