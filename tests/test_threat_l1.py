import numpy as np
import pytest
from keras import ops
from scipy.optimize import minimize

from robustzoo.threats import L1


def nearest(z, x, eps):
    """argmin ||x + p - q - z||^2 with 0 <= p <= 1 - x, 0 <= q <= x, sum(p + q) <= eps, by SLSQP."""
    d, size = (z - x).astype("float64"), len(x)
    scale = d @ d

    def objective(v):
        rest = v[:size] - v[size:] - d
        return 0.5 * rest @ rest / scale, np.concatenate([rest, -rest]) / scale

    found = minimize(
        objective,
        np.zeros(2 * size),
        jac=True,
        bounds=[(0, r) for r in np.concatenate([1 - x, x])],
        constraints={
            "type": "ineq",
            "fun": lambda v: eps - v.sum(),
            "jac": lambda v: -np.ones(2 * size),
        },
        method="SLSQP",
        options={"maxiter": 500, "ftol": 1e-14},
    )
    assert found.success
    return x + found.x[:size] - found.x[size:]


@pytest.mark.parametrize("eps", [0.05, 0.7, 2.5])
@pytest.mark.parametrize("spread", [0.1, 1.0, 3.0])
def test_projection_is_the_optimum(eps, spread):
    generator = np.random.default_rng(3)
    x = generator.uniform(size=(8, 3, 2, 2))
    x[:4] = x[:4].round(1).clip(0.0, 1.0)  # ties, and pixels at the edge of the box
    z = x + spread * generator.normal(size=x.shape)
    x, z = x.astype("float32"), z.astype("float32")
    got = ops.convert_to_numpy(L1(eps).project(z, x))
    want = [nearest(b.ravel(), a.ravel(), eps) for a, b in zip(x, z, strict=True)]
    np.testing.assert_allclose(got.reshape(8, -1), want, atol=1e-5)


def test_box_is_not_cut_off_afterwards():
    """(0.9 + 2, 0.5 + 2) with a budget of 0.5: the first pixel has room for 0.1 only."""
    x = np.array([0.9, 0.5], "float32").reshape(1, 2, 1, 1)
    z = ops.convert_to_numpy(L1(0.5).project(x + 2.0, x)).ravel()
    np.testing.assert_allclose(z, [1.0, 0.9], atol=1e-5)


@pytest.mark.parametrize("eps", [0.0, 0.3, 12.0, 60.0])
def test_budget_holds_for_many_pixels(eps):
    """In double precision, so that no error of the sum hides one of the projection."""
    generator = np.random.default_rng(0)
    x = generator.uniform(size=(4, 32, 32, 3)).astype("float32")
    x[0] = 0.0
    for spread in (0.01, 0.1, 1.0, 30.0):
        z = x + spread * generator.normal(size=x.shape).astype("float32")
        got = ops.convert_to_numpy(L1(eps).project(z, x)).astype("float64")
        spent = np.abs(got - x).sum((1, 2, 3))
        assert spent.max() <= eps + 1e-6
        assert got.min() >= 0 and got.max() <= 1
        inside = np.minimum(np.abs(z - x), np.where(z > x, 1 - x, x)).sum((1, 2, 3)) <= eps
        np.testing.assert_allclose(spent[~inside], eps, rtol=1e-5)
        np.testing.assert_allclose(got[inside], z[inside].clip(0, 1), atol=1e-5)


def test_steepest_is_the_largest_entry():
    g = np.array([[1.0, -3.0, 2.0], [2.0, 0.0, -2.0], [0.0, 0.0, 0.0]], "float32")
    got = ops.convert_to_numpy(L1(1.0).steepest(g.reshape(3, 3, 1, 1))).reshape(3, 3)
    np.testing.assert_array_equal(got, [[0, -1, 0], [0.5, 0, -0.5], [0, 0, 0]])


def test_contains():
    x = np.full((2, 2, 2, 1), 0.5, "float32")
    z = x.copy()
    z[:, 0, 0] += [[0.25], [0.3]]
    np.testing.assert_array_equal(ops.convert_to_numpy(L1(0.25).contains(z, x)), [True, False])
