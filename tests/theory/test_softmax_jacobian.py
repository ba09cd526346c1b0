"""The softmax's derivative against differences, where it saturates, and by temperature."""

import numpy as np
import pytest
from keras import ops

from robustzoo.backend import input_gradient
from robustzoo.theory import softmax_jacobian

Z = np.array([[2.0, 1.0, -1.0], [0.0, 3.0, 0.5]])


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_is_the_derivative(temperature):
    jacobian = softmax_jacobian(Z, temperature)
    x = ops.convert_to_tensor(Z, "float32")
    for i in range(3):
        gradient = input_gradient(lambda z, i=i: (ops.softmax(z / temperature)[:, i], ()), x)[2]
        np.testing.assert_allclose(jacobian[:, i], ops.convert_to_numpy(gradient), atol=1e-6)


def test_sees_what_rounding_hides():
    z = np.array([[60.0, 0.0]])
    p = 1 / (1 + np.exp(-60.0))
    assert p == 1.0  # so p (1 - p) would be 0
    np.testing.assert_allclose(softmax_jacobian(z)[0, 0], [np.exp(-60.0), -np.exp(-60.0)])


def test_training_at_a_temperature_shrinks_the_deployed_gradient():
    """Two classes with a lead of m T: J is p (1 - p), p = sigmoid(m T), so about exp(-m T)."""
    lead, sizes = 2.0, []
    for temperature in (1.0, 10.0, 100.0):
        z = np.array([[lead * temperature, 0.0]])
        sizes.append(softmax_jacobian(z)[0, 0, 0])
    np.testing.assert_allclose(np.log(sizes[1:]), [-20.0, -200.0], rtol=1e-6)
    assert sizes[0] == pytest.approx(np.exp(-2) / (1 + np.exp(-2)) ** 2)


def test_refuses_a_temperature_of_zero():
    with pytest.raises(ValueError, match="temperature must be positive"):
        softmax_jacobian(Z, 0.0)
