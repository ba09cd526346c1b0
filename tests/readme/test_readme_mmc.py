"""The README's ten lines on MMC, on a tiny net and random images."""

import keras
import numpy as np
from keras import ops

from tests.readme.block import block
from tests.tiny import tiny_batch, tiny_classifier


def test_trains_and_saves_a_net_with_max_mahalanobis_centers(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    images, labels = tiny_batch(64)
    names = {"my_model": tiny_classifier, "images": images, "labels": labels}
    exec(block("center_head(my_model()"), names)
    history = names["model"].history.history["loss"]
    assert len(history) == 10 and history[-1] < history[0]
    again = keras.models.load_model("mmc.keras")
    expected = ops.convert_to_numpy(names["model"](images))
    np.testing.assert_allclose(ops.convert_to_numpy(again(images)), expected, rtol=1e-5)
    assert (expected <= 0).all()
