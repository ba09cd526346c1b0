"""The README's ten lines on ADP, on a tiny net and random images."""

import keras
import numpy as np
from keras import ops

from tests.readme.block import block
from tests.tiny import tiny_batch, tiny_classifier


def test_trains_and_saves_an_ensemble(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    images, labels = tiny_batch(64)
    names = {"my_model": tiny_classifier, "images": images, "labels": labels}
    exec(block("classifier = ensemble("), names)
    history = names["defense"].history.history["loss"]
    assert len(history) == 10 and history[-1] < history[0]
    again = keras.models.load_model("adp.keras")
    expected = ops.convert_to_numpy(names["classifier"](images))
    np.testing.assert_allclose(ops.convert_to_numpy(again(images)), expected, atol=1e-5)
    np.testing.assert_allclose(np.exp(expected).sum(1), 1.0, rtol=1e-5)
