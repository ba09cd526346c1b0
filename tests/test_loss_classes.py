"""Every `keras.losses.Loss`: agrees with its function, serialises, trains through `fit`."""

import inspect
from functools import partial

import keras
import numpy as np
import pytest

from robustzoo import losses
from tests.tiny import tiny_batch, tiny_classifier

EXAMPLES = [
    (losses.ADP(1.0, 0.25), partial(losses.adp, alpha=1.0, beta=0.25)),
    (losses.LargeMarginGM(), losses.large_margin_gm),
    (losses.MMC(), losses.mmc),
    (losses.ReverseCrossEntropy(), losses.reverse_cross_entropy),
    (losses.TemperedCrossEntropy(5.0), partial(losses.tempered_cross_entropy, temperature=5.0)),
]
each = pytest.mark.parametrize(
    ("loss", "function"), EXAMPLES, ids=[type(loss).__name__ for loss, _ in EXAMPLES]
)


def test_every_loss_class_has_an_example():
    public = {c for _, c in inspect.getmembers(losses, inspect.isclass)}
    assert {type(loss) for loss, _ in EXAMPLES} == public


@each
def test_is_the_mean_of_its_function(loss, function):
    logits = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
    y = np.array([0, 1, 2, 3, 0, 1])
    expected = keras.ops.convert_to_numpy(function(y, logits)).mean()
    for labels in (y, y[:, None]):
        assert float(loss(labels, logits)) == pytest.approx(expected, rel=1e-5)


@each
def test_refuses_one_hot_labels(loss, function):
    logits = np.zeros((1, 4), "float32")
    with pytest.raises(ValueError, match="use argmax of one-hot labels. Received: \\(1, 4\\)"):
        loss(np.eye(4, dtype="float32")[:1], logits)


@each
def test_serialises(loss, function):
    config = keras.losses.serialize(loss)
    assert config["registered_name"].startswith("robustzoo>")
    assert keras.losses.deserialize(config).get_config() == loss.get_config()


@each
def test_trains_an_ordinary_model(loss, function):
    model = tiny_classifier()
    model.compile("adam", loss=loss, metrics=["accuracy"])
    x, y = tiny_batch(64)
    history = model.fit(x, y, epochs=5, verbose=0).history["loss"]
    assert history[-1] < history[0]
