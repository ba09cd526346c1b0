"""The README's ten lines on ADP and on MMC, on a tiny net and random images."""

import keras
import numpy as np
import pytest
from keras import ops

from tests.readme.block import block
from tests.tiny import tiny_batch, tiny_classifier


def log_probabilities(logits):
    return np.allclose(np.exp(logits).sum(1), 1.0, rtol=1e-5)


def distances(logits):
    return (logits <= 0).all()


@pytest.mark.parametrize(
    ("text", "trained", "model", "file", "kind"),
    [
        ("classifier = ensemble(", "defense", "classifier", "adp.keras", log_probabilities),
        ("center_head(my_model()", "model", "model", "mmc.keras", distances),
    ],
)
def test_trains_and_saves(text, trained, model, file, kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    images, labels = tiny_batch(64)
    names = {"my_model": tiny_classifier, "images": images, "labels": labels}
    exec(block(text), names)
    history = names[trained].history.history["loss"]
    assert len(history) == 10 and history[-1] < history[0]
    logits = ops.convert_to_numpy(names[model](images))
    again = keras.models.load_model(file)
    np.testing.assert_allclose(ops.convert_to_numpy(again(images)), logits, rtol=1e-5)
    assert kind(logits)
