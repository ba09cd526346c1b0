"""Losses of the nets that classify by distance to a centre."""

import numpy as np
import pytest
from keras import ops

from robustzoo import losses
from robustzoo.backend import input_gradient
from robustzoo.layers import CenterLogits
from tests.tiny import numpy

Z = np.array([[2.0, 1.0, -1.0], [0.0, 3.0, 0.5], [-1.0, 0.0, 1.0]], "float32")
Y = np.array([0, 3, 1], "int32")


@pytest.fixture
def head():
    layer = CenterLogits(4, "random", scale=2.0, seed=1)
    layer.build((None, 3))
    return layer, numpy(layer.centers.value)


def test_mmc_is_half_the_squared_distance_and_pulls_straight_to_the_centre(head):
    layer, centers = head
    expected = ((Z - centers[Y]) ** 2).sum(-1) / 2
    np.testing.assert_allclose(numpy(losses.mmc(Y, layer(Z))), expected, rtol=1e-5)
    z = ops.convert_to_tensor(Z)
    _, _, gradient = input_gradient(lambda z: (losses.mmc(Y, layer(z)), ()), z)
    np.testing.assert_allclose(numpy(gradient), Z - centers[Y], atol=1e-5)


def test_mm_lda_is_cross_entropy_of_the_posterior_of_gaussians(head):
    layer, centers = head
    densities = np.exp(-((Z[:, None] - centers[None]) ** 2).sum(-1) / 2)  # N(mu_l, I)
    posterior = densities / densities.sum(1, keepdims=True)
    expected = -np.log(posterior[np.arange(3), Y])
    np.testing.assert_allclose(numpy(losses.cross_entropy(Y, layer(Z))), expected, rtol=1e-4)


def test_large_margin_gm_by_hand(head):
    layer, centers = head
    d = ((Z[:, None] - centers[None]) ** 2).sum(-1) / 2
    own = np.eye(4)[Y]
    scores = np.exp(-d * (1 + 0.5 * own))
    expected = -np.log((scores * own).sum(1) / scores.sum(1)) + 0.2 * (d * own).sum(1)
    got = losses.large_margin_gm(Y, layer(Z), margin=0.5, likelihood=0.2)
    np.testing.assert_allclose(numpy(got), expected, rtol=1e-4)
    plain = losses.large_margin_gm(Y, layer(Z), margin=0.0, likelihood=0.0)
    np.testing.assert_allclose(
        numpy(plain), numpy(losses.cross_entropy(Y, layer(Z))), rtol=1e-5, atol=1e-6
    )


def test_center_loss_is_mmc_of_the_same_centers(head):
    layer, centers = head
    got = numpy(losses.center_loss(Y, ops.convert_to_tensor(Z), ops.convert_to_tensor(centers)))
    np.testing.assert_allclose(got, numpy(losses.mmc(Y, layer(Z))), rtol=1e-5)


@pytest.mark.parametrize("name", ["margin", "likelihood"])
def test_large_margin_gm_refuses_negative_weights(name):
    with pytest.raises(ValueError, match=f"{name} must be a finite number >= 0"):
        losses.LargeMarginGM(**{name: -0.1})
