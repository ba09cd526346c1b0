"""`center_head` on nets of the zoo and on a user's own."""

import keras
import numpy as np
import pytest
from keras import ops

from robustzoo.architectures import build, center_head, linear, reversed_logits, small_cnn
from robustzoo.layers import max_mahalanobis_centers
from tests.tiny import tiny_batch, tiny_classifier


def test_logits_are_half_squared_distances_of_its_features():
    model = center_head(small_cnn((16, 16, 1)), dim=12)
    images = np.random.default_rng(0).uniform(size=(5, 16, 16, 1)).astype("float32")
    features = keras.Model(model.input, model.get_layer("features").output)(images)
    gaps = ops.convert_to_numpy(features)[:, None] - max_mahalanobis_centers(10, 12)[None]
    by_hand = -(gaps**2).sum(-1) / 2
    np.testing.assert_allclose(ops.convert_to_numpy(model(images)), by_hand, rtol=1e-4)
    kernels = {v.path for v in model.trainable_variables}
    assert "head/centers" not in kernels and "features/kernel" in kernels
    assert not any(v.path.startswith("logits") for v in model.weights)


def test_takes_a_sequential_model_and_two_classes():
    model = center_head(tiny_classifier(), "learned", dim=3)
    assert model(tiny_batch(1)[0]).shape == (1, 4)
    assert "head/centers" in {v.path for v in model.trainable_variables}
    assert center_head(linear((4, 4, 1), classes=2), dim=1).output_shape == (None, 2)


def test_takes_more_classes_than_dimensions():
    model = center_head(linear((4, 4, 1), classes=5), dim=2)
    centers = ops.convert_to_numpy(model.get_layer("head").centers)
    np.testing.assert_allclose(centers, max_mahalanobis_centers(5, 2), atol=1e-5)
    assert np.isfinite(ops.convert_to_numpy(model(np.zeros((1, 4, 4, 1), "float32")))).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"centers": "lerned"}, "closest: 'learned'"),
        ({"dim": 0}, "dim must be an integer in 1"),
        ({"dim": 1}, "10 classes need at least 2 dimensions"),
        ({"scale": "10"}, "scale must be a finite number"),
        ({"seed": -1}, "seed must be an integer in 0"),
    ],
)
def test_build_refuses(arguments, message):
    base = {"architecture": "linear", "arguments": {"input_shape": [4, 4, 1]}}
    with pytest.raises(ValueError, match=message):
        build("center_head", {"base": base, **arguments})


def test_refuses_a_model_without_a_last_dense_layer():
    with pytest.raises(ValueError, match="ends with ReverseLogits"):
        center_head(reversed_logits(linear((4, 4, 1))))
