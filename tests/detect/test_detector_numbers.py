"""Detectors and curves against closed forms and scikit-learn."""

import itertools

import numpy as np
import pytest
from detectors import training_data
from keras import ops
from tiny import tiny_classifier, tiny_linear

from robustzoo import detect
from robustzoo.architectures import mlp, reversed_logits
from robustzoo.detect import LID, ROC, Confidence, KernelDensity, NonMaximalEntropy
from robustzoo.detect.lid import _dimension

X, Y, ADVERSARIAL = training_data()


def logits_of(model, x):
    return ops.convert_to_numpy(model(x)).astype("float64")


def softmax(logits):
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def test_confidence_is_the_log_odds_of_the_largest_probability():
    model = tiny_classifier()
    p = softmax(logits_of(model, X)).max(axis=1)
    np.testing.assert_allclose(Confidence(model).score(X), np.log(p / (1 - p)), atol=1e-5)


def test_confidence_does_not_round_to_one():
    model = tiny_linear(2)
    model.layers[-1].kernel.assign(100 * model.layers[-1].kernel)
    scores = Confidence(model).score(X)
    assert scores.max() > 20
    logits = logits_of(model, X)
    np.testing.assert_allclose(scores, np.abs(logits[:, 1] - logits[:, 0]), rtol=1e-4)


def test_non_maximal_entropy_from_probabilities():
    model = tiny_classifier()
    p = np.sort(softmax(logits_of(model, X)), axis=1)[:, :-1]
    q = p / p.sum(axis=1, keepdims=True)
    expected = -(q * np.log(q)).sum(axis=1)
    np.testing.assert_allclose(NonMaximalEntropy(model).score(X), expected, atol=1e-5)
    assert (NonMaximalEntropy(tiny_linear(2)).score(X) == 0).all()


@pytest.mark.parametrize("variance", [0.005, 0.5])
def test_kernel_density_is_that_of_scikit_learn(variance):
    neighbors = pytest.importorskip("sklearn.neighbors")
    model = tiny_classifier()
    detector = KernelDensity(model, variance=variance, per_class=100).fit(X, Y)
    z, size = detector.features(X).astype("float64"), 8
    new = detector.features(ADVERSARIAL).astype("float64")
    constant = 0.5 * size * np.log(np.pi * variance)  # sklearn's density integrates to 1
    predicted = logits_of(model, ADVERSARIAL).argmax(axis=1)
    expected = np.zeros(len(new))
    for c in np.unique(predicted):
        kernel = neighbors.KernelDensity(bandwidth=np.sqrt(variance / 2)).fit(z[c == Y])
        expected[predicted == c] = kernel.score_samples(new[predicted == c]) + constant
    np.testing.assert_allclose(detector.score(ADVERSARIAL), expected, rtol=1e-3, atol=1e-3)


def test_the_variance_is_the_median_squared_distance_within_classes():
    model = tiny_classifier()
    detector = KernelDensity(model, per_class=100).fit(X, Y)
    z = detector.features(X).astype("float64")
    inside = [((z[i] - z[j]) ** 2).sum() for j in range(60) for i in range(j) if Y[i] == Y[j]]
    np.testing.assert_allclose(detector.arrays["variance"], np.median(inside), rtol=1e-4)
    chosen = KernelDensity(model, variance=float(np.median(inside)), per_class=100).fit(X, Y)
    np.testing.assert_allclose(chosen.score(X), detector.score(X), rtol=1e-4, atol=1e-4)
    with pytest.raises(ValueError, match="most are equal"):
        KernelDensity(model).fit(np.repeat(X[:1], 4, axis=0), np.repeat(Y[:1], 4))


def test_kernel_density_takes_what_goes_into_the_last_dense_layer_or_a_named_one():
    model = tiny_classifier()
    for name, layer in [(None, "pool"), ("pool", "pool"), ("relu", "relu")]:
        features = KernelDensity(model, name).features(X)
        expected = X
        for part in model.layers:
            expected = part(expected)
            if part.name == layer:
                break
        expected = ops.convert_to_numpy(expected).reshape(len(X), -1)
        np.testing.assert_allclose(features, expected, atol=1e-6)
    with pytest.raises(ValueError, match="Did you mean 'pool'"):
        KernelDensity(model, "poool")


def test_features_of_a_wrapped_model_are_those_of_its_base():
    base = mlp(widths=(6, 5), input_shape=(8, 8, 3), classes=4)
    expected = KernelDensity(base).features(X)
    assert expected.shape == (60, 5)
    np.testing.assert_array_equal(KernelDensity(reversed_logits(base)).features(X), expected)


def test_kernel_density_keeps_so_many_of_each_class():
    detector = KernelDensity(tiny_classifier(), per_class=3).fit(X, Y)
    assert detector.arrays["bank"].shape == (4, 3, 8)
    np.testing.assert_array_equal(detector.arrays["counts"], 3)
    without = KernelDensity(tiny_classifier(), per_class=3).fit(X[Y > 0], Y[Y > 0])
    np.testing.assert_array_equal(without.arrays["counts"], [0, 3, 3, 3])
    predicted = logits_of(without.model, X).argmax(axis=1)
    scores = without.score(X)
    assert (scores[predicted == 0] < -1e29).all() and (scores[predicted > 0] > -1e29).all()


def test_dimension_by_brute_force():
    generator = np.random.default_rng(3)
    z, reference = generator.normal(size=(7, 30)), generator.normal(size=(40, 30))
    expected = []
    for row in z:
        r = np.sort(np.sqrt(((row - reference) ** 2).sum(axis=1)))[:9]
        expected.append(-9 / np.log(r / r[-1]).sum())
    tensors = [ops.convert_to_tensor(a.astype("float32")) for a in (z, reference)]
    found = ops.convert_to_numpy(_dimension(*tensors, 9))
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_dimension_of_uniform_points():
    """Points that fill d dimensions evenly have a dimensionality of about d."""
    generator = np.random.default_rng(0)
    for d in (2, 5):
        reference = generator.uniform(size=(4000, d)).astype("float32")
        z = generator.uniform(0.4, 0.6, size=(200, d)).astype("float32")
        found = _dimension(ops.convert_to_tensor(z), ops.convert_to_tensor(reference), 20)
        assert abs(np.median(ops.convert_to_numpy(found)) - d) < 0.2 * d


def test_lid_finds_what_scikit_learn_would():
    """The score is the decision function of the regression on scaled dimensionalities."""
    linear = pytest.importorskip("sklearn.linear_model")
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    model = tiny_classifier()
    detector = LID(model, ("relu", "pool"), neighbours=5, reference=20).fit(X, Y, ADVERSARIAL)
    order = np.random.default_rng(0).permutation(len(X))
    rows = order[20:]

    def dimensions(x):
        found = []
        for name in ("relu", "pool"):
            z, r = (KernelDensity(model, name).features(p) for p in (x, X[order[:20]]))
            d = np.sqrt(((z[:, None].astype("float64") - r[None]) ** 2).sum(axis=2))
            d = np.sort(d, axis=1)[:, :5]
            found.append(-5 / np.log(d / d[:, -1:]).sum(axis=1))
        return np.stack(found, axis=1)

    from robustzoo.detect.lid import _noisy

    generator = np.random.default_rng(0)
    generator.permutation(len(X))
    noisy = _noisy(X[rows], ADVERSARIAL[rows], generator)
    table = np.concatenate([dimensions(p) for p in (X[rows], noisy, ADVERSARIAL[rows])])
    scaler = preprocessing.MinMaxScaler().fit(table)
    clean = np.repeat([1, 1, 0], len(rows))
    fitted = linear.LogisticRegression(max_iter=1000).fit(scaler.transform(table), clean)
    expected = fitted.decision_function(scaler.transform(dimensions(ADVERSARIAL)))
    np.testing.assert_allclose(detector.score(ADVERSARIAL), expected, rtol=1e-2, atol=1e-2)


def test_noise_is_as_long_as_the_attack():
    from robustzoo.detect.lid import _noisy

    x = np.full((3, 8, 8, 3), 0.5, "float32")
    adversarial = x + 0.01 * np.sign(np.random.default_rng(0).normal(size=x.shape))
    noise = _noisy(x, adversarial, np.random.default_rng(1)) - x
    lengths = np.sqrt((noise.astype("float64") ** 2).sum(axis=(1, 2, 3)))
    np.testing.assert_allclose(lengths, 0.01 * np.sqrt(192), rtol=1e-3)


def test_area_is_the_share_of_ordered_pairs():
    generator = np.random.default_rng(0)
    clean = np.round(generator.normal(1.0, 1.0, 70), 1)  # with ties
    adversarial = np.round(generator.normal(0.0, 1.0, 50), 1)
    curve = ROC(clean, adversarial)
    ties = [(c > a) + 0.5 * (c == a) for c, a in itertools.product(clean, adversarial)]
    assert abs(curve.auc - np.mean(ties)) < 1e-12
    thresholds, false_positives, true_positives = curve.points()
    assert (false_positives[0], true_positives[0]) == (0, 0)
    assert (false_positives[-1], true_positives[-1]) == (1, 1)
    at = len(thresholds) // 2
    assert false_positives[at] == (clean <= thresholds[at]).mean()
    assert true_positives[at] == (adversarial <= thresholds[at]).mean()


def test_area_of_scores_that_do_not_or_fully_part():
    ones = np.ones(5)
    assert ROC(ones, ones).auc == 0.5
    assert ROC(ones, 0 * ones).auc == 1.0
    assert ROC(0 * ones, ones).auc == 0.0


@pytest.mark.parametrize("rate", [0.0, 0.05, 0.29, 0.5, 0.999])
def test_threshold_keeps_its_false_positive_rate(rate):
    scores = np.random.default_rng(0).permutation(100) / 7
    found = detect.threshold(scores, rate)
    assert (scores < found).mean() == np.floor(100 * rate + 1e-9) / 100
    assert detect.threshold(np.ones(9), rate) == 1.0  # ties: nothing is rejected


def test_bad_scores_and_rates():
    with pytest.raises(ValueError, match="must lie in"):
        detect.threshold(np.ones(3), 1.0)
    with pytest.raises(ValueError, match="N > 0"):
        detect.threshold(np.ones(0), 0.5)
    with pytest.raises(ValueError, match="finite"):
        ROC(np.array([np.nan]), np.ones(2))
