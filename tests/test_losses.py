import numpy as np
import pytest
from keras import ops

from robustzoo import losses
from robustzoo.backend import input_gradient
from tests.tiny import numpy

Z = np.array([[2.0, 1.0, -1.0, 0.0], [0.0, 3.0, 0.5, 1.0]], "float32")
Y = np.array([0, 3], "int32")


def test_cross_entropy_by_hand():
    log_sum = np.log(np.exp(Z).sum(1))
    np.testing.assert_allclose(numpy(losses.cross_entropy(Y, Z)), log_sum - Z[[0, 1], Y], rtol=1e-5)
    smooth = 0.9 * (log_sum - Z[[0, 1], Y]) + 0.1 * (log_sum - Z.mean(1))
    np.testing.assert_allclose(numpy(losses.cross_entropy(Y, Z, 0.1)), smooth, rtol=1e-5)


def test_kl_divergence_by_hand():
    p = np.array([[0.5, 0.5]], "float32")
    q = np.array([[0.25, 0.75]], "float32")
    expected = 0.5 * np.log(2) + 0.5 * np.log(2 / 3)
    assert float(losses.kl_divergence(np.log(p), np.log(q))[0]) == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(numpy(losses.kl_divergence(Z, Z + 5.0)), 0.0, atol=1e-6)


def test_margin_by_hand():
    np.testing.assert_allclose(numpy(losses.margin(Y, Z)), [-1.0, 2.0])


def test_dlr_by_hand_and_invariant():
    np.testing.assert_allclose(numpy(losses.dlr(Y, Z)), [-1.0 / 2.0, 2.0 / 2.5], rtol=1e-6)
    np.testing.assert_allclose(numpy(losses.dlr(Y, 7 * Z + 3)), numpy(losses.dlr(Y, Z)), rtol=1e-5)
    with pytest.raises(ValueError, match="at least 3 classes"):
        losses.dlr(Y, Z[:, :2])


def test_reverse_cross_entropy_and_its_gradient_by_hand():
    def by_hand(z):
        log_p = -z - np.log(np.exp(-z).sum(1, keepdims=True))
        others = np.ones_like(z)
        others[[0, 1], Y] = 0
        return -(others * log_p).sum(1) / 3

    np.testing.assert_allclose(numpy(losses.reverse_cross_entropy(Y, Z)), by_hand(Z), rtol=1e-5)
    x = ops.convert_to_tensor(Z)
    _, _, gradient = input_gradient(lambda z: (losses.reverse_cross_entropy(Y, z), ()), x)
    p = np.exp(-Z) / np.exp(-Z).sum(1, keepdims=True)  # d/dZ of RCE(-Z) is (1 - 1_y)/(L-1) - p
    target = np.full_like(Z, 1 / 3)
    target[[0, 1], Y] = 0
    np.testing.assert_allclose(numpy(gradient), target - p, atol=1e-6)


def test_reverse_cross_entropy_of_two_classes_is_cross_entropy():
    y = np.array([0, 1], "int32")
    reverse = numpy(losses.reverse_cross_entropy(y, Z[:, :2]))
    np.testing.assert_allclose(reverse, numpy(losses.cross_entropy(y, Z[:, :2])), rtol=1e-5)
