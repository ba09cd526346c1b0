"""The bounds of reverse cross-entropy, held against distributions and found to be tight."""

import numpy as np
import pytest

from robustzoo.theory import rce_bounds


def softmax(z):
    p = np.exp(z - z.max(axis=-1, keepdims=True))
    return p / p.sum(axis=-1, keepdims=True)


def deviations(p):
    """Both left-hand sides for S(Z) = `p` (N, L), whose true class is the first."""
    q = softmax(-np.log(p))
    others = q[:, 1:]
    error = np.abs(q - np.eye(p.shape[1])[0]).max(axis=1)
    return error, others.max(axis=1) - others.min(axis=1)


def within(alpha, classes, count=20_000):
    """Distributions no further than `alpha` from uniform over all classes but the first."""
    generator = np.random.default_rng(0)
    target = np.r_[0.0, np.full(classes - 1, 1 / (classes - 1))]
    own = alpha * generator.uniform(size=(count, 1)) ** 0.1  # most of them at the edge
    shift = alpha * generator.choice([-1.0, 0.0, 1.0], size=(count, classes - 1))
    shift -= shift.mean(axis=1, keepdims=True) + own / (classes - 1)
    p = target + np.hstack([own, shift])
    return p[(np.abs(p - target).max(axis=1) <= alpha) & (p > 0).all(axis=1)]


@pytest.mark.parametrize("classes", [2, 3, 10])
@pytest.mark.parametrize("share", [0.01, 0.3, 0.9])
def test_no_distribution_exceeds_them(classes, share):
    alpha = share / classes
    p = within(alpha, classes)
    assert len(p) > 100
    error, spread = deviations(p)
    most, apart = rce_bounds(alpha, classes)
    assert error.max() <= most + 1e-12 and spread.max() <= apart + 1e-12


def test_they_are_reached_as_alpha_vanishes():
    alpha, classes = 1e-6, 10
    p = np.full((1, classes), 1 / (classes - 1) - alpha / (classes - 1))
    p[0, 0] = alpha
    p[0, 1:3] += np.array([0.9, -0.9]) * alpha  # as far apart as alpha allows, but for a tenth
    error, spread = deviations(p)
    most, apart = rce_bounds(alpha, classes)
    assert error[0] == pytest.approx(most, rel=1e-3)
    assert spread[0] == pytest.approx(0.9 * apart, rel=1e-3)


@pytest.mark.parametrize(("alpha", "classes"), [(-0.1, 10), (0.1, 10), (0.1, 1)])
def test_refuses(alpha, classes):
    with pytest.raises(ValueError, match="must"):
        rce_bounds(alpha, classes)
