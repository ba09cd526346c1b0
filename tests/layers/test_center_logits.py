"""Max-Mahalanobis centres and the logits made of distances to them."""

import keras
import numpy as np
import pytest
from keras import ops

from robustzoo.layers import CenterLogits, max_mahalanobis_centers, random_centers
from robustzoo.layers.center_logits import CENTERS
from tests.tiny import numpy


def distances(centers):
    gaps = np.linalg.norm(centers[:, None] - centers[None], axis=-1)
    return gaps[~np.eye(len(centers), dtype=bool)]


def largest_cosine(centers):
    units = centers / np.linalg.norm(centers, axis=1, keepdims=True)
    return (units @ units.T)[~np.eye(len(units), dtype=bool)].max()


@pytest.mark.parametrize(
    ("classes", "dim"), [(2, 1), (2, 5), (3, 2), (10, 9), (10, 10), (10, 256), (100, 99)]
)
def test_simplex_has_the_gram_matrix_of_the_theorem(classes, dim):
    centers = max_mahalanobis_centers(classes, dim, scale=10.0)
    assert centers.shape == (classes, dim) and centers.dtype == "float32"
    off = -100 / (classes - 1)
    expected = np.full((classes, classes), off) + (100 - off) * np.eye(classes)
    np.testing.assert_allclose(centers @ centers.T, expected, atol=1e-4)
    np.testing.assert_allclose(centers.sum(0), 0.0, atol=1e-4)


def test_ten_classes_lie_14_907_apart():
    apart = distances(max_mahalanobis_centers(10, 256))
    np.testing.assert_allclose(apart, 14.907, atol=5e-4)
    np.testing.assert_allclose(apart, 10 * np.sqrt(2 * 10 / 9), rtol=1e-6)


def test_two_classes_are_opposite():
    np.testing.assert_array_equal(max_mahalanobis_centers(2, 3, scale=4.0)[:, 0], [4.0, -4.0])


@pytest.mark.parametrize(
    ("classes", "dim", "cosine"),
    [
        (4, 2, 0.0),  # square
        (5, 2, np.cos(2 * np.pi / 5)),  # pentagon
        (6, 3, 0.0),  # octahedron
        (12, 3, 1 / np.sqrt(5)),  # icosahedron
        (100, 64, 0.0),
    ],
)
def test_more_classes_than_a_simplex_holds_reach_the_known_optimum(classes, dim, cosine):
    centers = max_mahalanobis_centers(classes, dim, scale=3.0)
    np.testing.assert_allclose(np.linalg.norm(centers, axis=1), 3.0, rtol=1e-6)
    assert largest_cosine(centers) == pytest.approx(cosine, abs=1e-5)


def test_random_centers_have_the_norm_and_follow_the_seed():
    centers = random_centers(10, 256, scale=10.0, seed=1)
    np.testing.assert_allclose(np.linalg.norm(centers, axis=1), 10.0, rtol=1e-5)
    np.testing.assert_array_equal(centers, random_centers(10, 256, scale=10.0, seed=1))
    assert np.abs(centers - random_centers(10, 256, scale=10.0, seed=2)).max() > 1
    optimal = max_mahalanobis_centers(10, 256)
    assert distances(centers).min() < distances(optimal).min()


@pytest.mark.parametrize("centers", CENTERS)
def test_logits_by_hand(centers):
    layer = CenterLogits(4, centers, scale=2.0, seed=5)
    z = np.random.default_rng(0).normal(size=(3, 6)).astype("float32")
    logits = ops.convert_to_numpy(layer(z))
    mu = ops.convert_to_numpy(layer.centers.value)
    by_hand = -((z[:, None] - mu[None]) ** 2).sum(-1) / 2
    np.testing.assert_allclose(logits, by_hand, atol=1e-5)
    at_centers = ops.convert_to_numpy(layer(mu))
    np.testing.assert_allclose(np.diag(at_centers), 0.0, atol=1e-5)
    assert len(layer.trainable_variables) == (centers == "learned")


def test_keeps_float32_among_bfloat16_layers():
    noise = np.random.default_rng(0).normal(size=(4, 6), scale=0.3)
    z = ops.convert_to_tensor((10 * np.eye(6)[:4] + noise).astype("float32"))
    exact, mixed = CenterLogits(4, "random"), CenterLogits(4, "random", dtype="mixed_bfloat16")
    np.testing.assert_allclose(numpy(mixed(z)), numpy(exact(z)), rtol=1e-5, atol=1e-4)
    short = ops.cast(z, "bfloat16")
    same = exact(ops.cast(short, "float32"))
    np.testing.assert_allclose(numpy(mixed(short)), numpy(same), rtol=1e-5, atol=1e-4)


def test_fixed_centers_stay_and_learned_ones_move():
    x = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
    y = np.arange(8) % 4
    for centers, moves in (("random", False), ("learned", True)):
        inputs = keras.Input((3,))
        layer = CenterLogits(4, centers)
        model = keras.Model(inputs, layer(keras.layers.Dense(5)(inputs)))
        before = ops.convert_to_numpy(layer.centers.value)
        cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.SGD(0.1), cross_entropy)
        model.fit(x, y, verbose=0)
        after = ops.convert_to_numpy(layer.centers.value)
        assert (np.abs(after - before).max() > 0) == moves


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: CenterLogits(4, "max_mahalanobi"), "closest: 'max_mahalanobis'"),
        (lambda: CenterLogits(4, scale=0.0), "scale must be"),
        (lambda: CenterLogits(4, scale=float("nan")), "scale must be"),
        (lambda: max_mahalanobis_centers(1, 3), "classes must be at least 2"),
        (lambda: max_mahalanobis_centers(3, 1), "3 classes need at least 2 dimensions"),
        (lambda: max_mahalanobis_centers(2, 0), "2 classes need at least 1 dim"),
    ],
)
def test_refuses(make, message):
    with pytest.raises(ValueError, match=message):
        make()
