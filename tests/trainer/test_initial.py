"""Training that starts from a released model."""

import numpy as np
import pytest

from robustzoo import zoo
from robustzoo.architectures import center_head, linear, small_cnn
from training.initial import begin_with


def test_a_net_with_another_head_starts_with_the_trunk():
    released, model = zoo.load("standard-mnist"), center_head(small_cnn(), dim=16)
    fresh = model.get_layer("features").get_weights()
    kept = begin_with(model, "standard-mnist")
    assert sorted(kept) == ["features/bias", "features/kernel", "head/centers"]
    for layer in ("conv1", "dense2"):
        ours, theirs = (m.get_layer(layer).get_weights() for m in (model, released))
        np.testing.assert_array_equal(ours[0], theirs[0])
    np.testing.assert_array_equal(model.get_layer("features").get_weights()[0], fresh[0])


def test_the_same_net_starts_whole():
    model = small_cnn()
    assert begin_with(model, "standard-mnist") == []
    x = np.random.default_rng(0).uniform(size=(4, 28, 28, 1)).astype("float32")
    np.testing.assert_array_equal(model(x), zoo.load("standard-mnist")(x))


def test_another_architecture_is_refused():
    with pytest.raises(ValueError, match="no weights for most of"):
        begin_with(linear(), "standard-mnist")
