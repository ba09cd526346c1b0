"""The optimum of ADP: its equation, and that gradient descent on the loss ends there."""

import numpy as np
import pytest
from keras import ops

from robustzoo.backend import compiled, input_gradient
from robustzoo.losses import adp
from robustzoo.theory import adp_optimum


@pytest.mark.parametrize(
    ("members", "classes", "alpha"), [(3, 10, 2.0), (3, 4, 2.0), (1, 5, 0.5), (2, 7, 8.0)]
)
def test_solves_its_equation_with_members_that_share_no_class(members, classes, alpha):
    optimum = adp_optimum(members, classes, alpha)
    np.testing.assert_allclose(optimum.sum(1), 1.0)
    p = optimum[0, 0]
    assert 1 / p == pytest.approx(alpha / members * np.log(p * (classes - 1) / (1 - p)), rel=1e-6)
    np.testing.assert_allclose(optimum.mean(0)[1:], (1 - p) / (classes - 1))
    rest = optimum[:, 1:] @ optimum[:, 1:].T
    np.testing.assert_allclose(rest - np.diag(np.diag(rest)), 0.0)


def test_without_entropy_the_members_are_certain():
    np.testing.assert_array_equal(adp_optimum(3, 4, 0.0)[:, 0], 1.0)


@pytest.mark.parametrize(("members", "classes"), [(3, 9), (4, 4), (0, 4), (2, 2)])
def test_needs_members_that_divide_the_other_classes(members, classes):
    with pytest.raises(ValueError, match="must divide"):
        adp_optimum(members, classes)


def test_nothing_is_better_and_descent_ends_there():
    y, optimum = np.array([0]), adp_optimum(3, 4, 2.0)
    least = float(adp(y, np.log(optimum + 1e-30)[None].astype("float32"), 2.0, 0.5)[0])
    random = np.random.default_rng(0).normal(size=(2000, 3, 4), scale=4.0).astype("float32")
    others = ops.convert_to_numpy(adp(np.zeros(2000, "int32"), random, 2.0, 0.5))
    assert others.min() > least

    look = compiled(lambda z: input_gradient(lambda z: (adp(y, z, 2.0, 0.5), ()), z), [])
    z = np.random.default_rng(1).normal(size=(1, 3, 4), scale=0.5).astype("float32")
    mean, square = np.zeros_like(z), np.zeros_like(z)
    for step in range(1, 301):  # of Adam
        loss, _, slope = look(ops.convert_to_tensor(z))
        slope = ops.convert_to_numpy(slope)
        mean, square = 0.9 * mean + 0.1 * slope, 0.999 * square + 0.001 * slope**2
        z = z - 0.1 * mean / (1 - 0.9**step) / (np.sqrt(square / (1 - 0.999**step)) + 1e-7)
    assert float(ops.convert_to_numpy(loss)[0]) == pytest.approx(least, abs=0.01)
    found = ops.convert_to_numpy(ops.softmax(z))[0]
    np.testing.assert_allclose(found[:, 0], optimum[:, 0], atol=0.01)
