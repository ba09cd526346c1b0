"""Every loss of labels: one that is no class is not passed over in silence."""

import inspect

import keras
import numpy as np
import pytest
from keras import ops

from robustzoo import losses
from robustzoo.threats import Linf
from tests.tiny import numpy, tiny_batch, tiny_classifier

Z = np.random.default_rng(0).normal(size=(2, 4)).astype("float32")
KERNEL = np.random.default_rng(1).normal(size=(3, 4)).astype("float32")
FEATURES, CENTERS = Z[:, :3], KERNEL.T
ARGUMENTS = {
    "center_loss": (FEATURES, CENTERS),
    "dlr_targeted": (Z, np.array([1, 2], "int32")),
    "linear_worst_case": (Z, KERNEL, Linf(0.1)),
    "log_diversity": (np.stack([Z, -Z], axis=1),),
    "robust_linear": (Z, KERNEL, Linf(0.1)),
}
FUNCTIONS = {
    name: function
    for name, function in inspect.getmembers(losses, inspect.isfunction)
    if next(iter(inspect.signature(function).parameters)) == "y"
}
CLASSES = {name: cls(reduction=None) for name, cls in inspect.getmembers(losses, inspect.isclass)}


@pytest.mark.parametrize("wrong", [7, 4, -1])
@pytest.mark.parametrize("name", FUNCTIONS | CLASSES)
def test_a_label_that_is_no_class_shows(name, wrong):
    loss = (FUNCTIONS | CLASSES)[name]
    arguments = [
        ops.convert_to_tensor(a) if isinstance(a, np.ndarray) else a
        for a in ARGUMENTS.get(name, (Z,))
    ]
    right = numpy(loss(np.array([2, 1], "int32"), *arguments))
    try:
        values = numpy(loss(np.array([2, wrong], "int32"), *arguments))
    except Exception as error:  # the backend's own refusal, of a gather or of its cross-entropy
        assert any(word in str(error) for word in ("range", "bound", "not in [", "smaller than"))
        return
    assert np.isnan(values[1]).any()
    np.testing.assert_allclose(values[0], right[0], rtol=1e-6)
    assert np.isfinite(right).all()


def test_target_of_dlr_is_a_class():
    y, target = np.array([2, 1], "int32"), np.array([0, -1], "int32")
    assert np.isnan(numpy(losses.dlr_targeted(y, Z, target))).tolist() == [False, True]


@pytest.mark.parametrize("loss", [losses.MMC(), losses.ReverseCrossEntropy()])
def test_training_shows_it(loss):
    model = tiny_classifier()
    model.compile(keras.optimizers.SGD(0.0), loss=loss)
    x, y = tiny_batch(8)
    assert np.isfinite(model.fit(x, y, verbose=0).history["loss"]).all()
    y[3] = -1  # torch refuses 7
    assert np.isnan(model.fit(x, y, verbose=0).history["loss"]).all()
