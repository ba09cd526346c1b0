"""Sample density, where it is known: Gaussian features."""

import numpy as np
import pytest
from scipy.stats import chi2

from robustzoo.theory import sample_density


@pytest.mark.parametrize("dim", [1, 2, 3, 10, 256])
def test_of_gaussian_features_it_is_their_density(dim):
    loss = np.array([0.3, 0.5, 0.7]) * dim  # where features lie: ||z||^2 is about d
    probability = 2.0 * chi2.pdf(2.0 * loss, dim)  # of C = ||z||^2 / 2
    expected = np.log(1000.0) - 0.5 * dim * np.log(2.0 * np.pi) - loss
    found = sample_density(1000, probability, loss, dim)
    np.testing.assert_allclose(np.log(found), expected, rtol=1e-9)


def test_smaller_losses_are_denser():
    found = sample_density(100, 1.0, np.array([0.1, 1.0, 10.0]), 64)
    assert found[0] > found[1] > found[2]


def test_no_loss_is_refused():
    with pytest.raises(ValueError, match="loss must be positive"):
        sample_density(1, 1.0, 0.0, 2)
