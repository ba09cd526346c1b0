import keras
import numpy as np
import pytest
from keras import ops
from tiny import numpy, tiny_batch

from robustzoo.attacks import PGD
from robustzoo.threats import L1, L2, Linf, format_eps, from_config, parse_eps, to_config
from robustzoo.zoo.config import check_threat


@pytest.mark.parametrize("threat", [Linf(0.1), L2(1.5), L1(12.0)], ids=lambda t: type(t).__name__)
def test_projection_and_random_start_stay_inside(threat):
    x, _ = tiny_batch()
    far = x + np.random.default_rng(0).normal(size=x.shape).astype("float32")
    for z in (threat.project(far, x), threat.random_start(x, seed=3)):
        z = keras.ops.convert_to_numpy(z)
        assert np.max(keras.ops.convert_to_numpy(threat.distance(z, x))) <= threat.eps + 1e-6
        assert z.min() >= 0 and z.max() <= 1
    inside = keras.ops.convert_to_numpy(threat.project(x, x))
    np.testing.assert_array_equal(inside, x)


@pytest.mark.parametrize("threat", [L2(0.3), L1(0.3)], ids=lambda t: type(t).__name__)
def test_start_is_uniform_in_the_ball(threat):
    """In d dimensions, the mean distance of a uniform point is eps d / (d + 1)."""
    x = np.full((4000, 2, 1, 1), 0.5, "float32")
    start = threat.random_start(x, keras.random.SeedGenerator(0))
    radius = keras.ops.convert_to_numpy(threat.distance(start, x))
    assert abs(radius.mean() - 0.3 * 2 / 3) < 0.005


def test_distances_by_hand():
    x = np.zeros((1, 1, 2, 1), "float32")
    z = np.array([[[[0.3], [0.4]]]], "float32")
    assert float(Linf(1.0).distance(z, x)[0]) == pytest.approx(0.4)
    assert float(L2(1.0).distance(z, x)[0]) == pytest.approx(0.5)
    assert float(L1(1.0).distance(z, x)[0]) == pytest.approx(0.7)


@pytest.mark.parametrize("scale", [1.0, 1e-20, 1e-35])
def test_a_direction_is_as_long_however_small_the_gradient(scale):
    gradient = np.random.default_rng(0).normal(size=(3, 4, 4, 2)).astype("float32")
    gradient[2] = 0.0
    for threat, norm in ((L2(1.0), 2), (L1(1.0), 1), (Linf(1.0), np.inf)):
        found = numpy(threat.steepest(ops.convert_to_tensor(np.float32(scale) * gradient)))
        lengths = np.linalg.norm(found.reshape(3, -1), norm, axis=1)
        np.testing.assert_allclose(lengths, [1.0, 1.0, 0.0], rtol=1e-6)
        np.testing.assert_allclose(found, numpy(threat.steepest(gradient)), rtol=1e-5, atol=1e-6)


def test_eps_is_written_exactly():
    assert parse_eps("8/255") == 8 / 255
    assert format_eps(8 / 255) == "8/255"
    assert format_eps(0.3) == "0.3"
    assert parse_eps(format_eps(8 / 255 / 30)) == pytest.approx(8 / 255 / 30)
    assert from_config(to_config(Linf(2 / 255))) == Linf(2 / 255)


def test_every_threat_is_written_as_a_folder_may_hold_it():
    for eps in (8 / 255, 1 / 30, 0.3, 0.1 / 255, 1 / 7, 1.0, 2e-5, 0.15154406949877738, 1e-17 / 3):
        check_threat(to_config(Linf(eps)))  # 1 / 30 is 8.5 / 255
        assert from_config(to_config(Linf(eps))) == Linf(eps)
    assert from_config(to_config(L1(12.0))) == L1(12.0)


@pytest.mark.parametrize("eps", ["8/0", "eight", None, -0.1, float("nan"), float("inf")])
def test_bad_eps(eps):
    with pytest.raises(ValueError, match="eps must be"):
        from_config({"norm": "linf", "eps": eps})


@pytest.mark.parametrize("eps", [-0.9, float("nan")])
def test_numbers_of_numpy_are_checked_as_those_of_python(eps):
    with pytest.raises(ValueError, match="eps must be a finite number >= 0"):
        L2(np.float32(eps))
    with pytest.raises(ValueError, match="step_size must be a number >= 0"):
        PGD(Linf(0.1), np.float32(eps))
    assert type(Linf(np.float32(0.5)).eps) is float


def test_an_eps_of_0_to_255_is_refused():
    with pytest.raises(ValueError, match="Received: 8; closest: 8/255"):
        Linf(8)


def test_bad_norm_offers_the_closest():
    with pytest.raises(ValueError, match="closest: 'linf'"):
        from_config({"norm": "Linfty", "eps": 0.1})
