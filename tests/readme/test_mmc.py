"""The README's ten lines on MMC, on a tiny net and random images."""

import keras
import numpy as np
from keras import ops

from tests.tiny import tiny_batch, tiny_classifier

EXAMPLE = """
import robustzoo
import keras
from robustzoo.architectures import center_head
from robustzoo.losses import MMC

model = center_head(my_model(), dim=256)  # in place of the last Dense layer of a Keras model
model.compile(keras.optimizers.Adam(1e-3), loss=MMC(), metrics=["accuracy"])
model.fit(images, labels, batch_size=64, epochs=10)
model.save("mmc.keras")  # logits are -||z - mu_l||^2 / 2 to fixed centres mu_l
"""


def test_trains_and_saves_a_net_with_max_mahalanobis_centers(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    images, labels = tiny_batch(64)
    names = {"my_model": tiny_classifier, "images": images, "labels": labels}
    exec(EXAMPLE, names)
    history = names["model"].history.history["loss"]
    assert len(history) == 10 and history[-1] < history[0]
    again = keras.models.load_model("mmc.keras")
    expected = ops.convert_to_numpy(names["model"](images))
    np.testing.assert_allclose(ops.convert_to_numpy(again(images)), expected, rtol=1e-5)
    assert (expected <= 0).all()
