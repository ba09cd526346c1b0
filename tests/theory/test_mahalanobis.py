"""The max-Mahalanobis theorem, in numbers."""

import math

import numpy as np
import pytest

from robustzoo.layers import max_mahalanobis_centers, random_centers
from robustzoo.theory import expected_distance, mahalanobis_bound, mahalanobis_robustness


@pytest.mark.parametrize("apart", [0.0, 0.5, 2.0, 5.0])
def test_expected_distance_is_the_mean_over_samples(apart):
    # Along the line between the centres a sample is N(0, 1), and the boundary is at apart / 2.
    samples = np.random.default_rng(0).normal(size=1_000_000)
    measured = np.abs(samples - apart / 2).mean()
    assert expected_distance(apart) == pytest.approx(measured, abs=3e-3)
    assert expected_distance(apart) >= apart / 2


def test_expected_distance_by_hand():
    assert expected_distance(0.0) == pytest.approx(math.sqrt(2 / math.pi))
    assert expected_distance(14.907) == pytest.approx(14.907 / 2, rel=1e-9)


@pytest.mark.parametrize(("classes", "dim"), [(2, 1), (10, 9), (10, 256)])
def test_max_mahalanobis_centers_reach_the_bound(classes, dim):
    bound = mahalanobis_bound(classes, 10.0)
    reached = mahalanobis_robustness(max_mahalanobis_centers(classes, dim, 10.0))
    assert reached == pytest.approx(expected_distance(2 * bound), rel=1e-5)


def test_no_other_centers_do():
    most = expected_distance(2 * mahalanobis_bound(10, 1.0))
    for seed in range(20):
        assert mahalanobis_robustness(random_centers(10, 9, 1.0, seed)) < most
    assert mahalanobis_robustness(max_mahalanobis_centers(10, 8, 1.0)) < most  # d < L - 1


def test_ten_classes_at_norm_ten():
    assert mahalanobis_bound(10, 10.0) == pytest.approx(14.907 / 2, abs=5e-4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: expected_distance(-1.0), "apart must be"),
        (lambda: expected_distance(float("nan")), "apart must be"),
        (lambda: mahalanobis_bound(1, 1.0), "classes must be"),
        (lambda: mahalanobis_robustness(np.zeros((1, 3))), "centers must be"),
    ],
)
def test_refuses(call, message):
    with pytest.raises(ValueError, match=message):
        call()
