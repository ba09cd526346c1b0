"""No image is both certified and broken, whatever released model it is of."""

import functools
import json
from pathlib import Path

import numpy as np
import pytest
from keras import ops
from PIL import Image

import robustzoo
from robustzoo import architectures
from robustzoo.backend import compiled, input_gradient
from robustzoo.certification import certify
from robustzoo.certification.graph import Graph
from robustzoo.forward import forward
from robustzoo.losses import margin

ROOT = Path(__file__).parents[2]
CARDS = sorted(path.parent for path in ROOT.glob("model_cards/*/config.json"))
BOUNDLESS = (
    "ensemble",
    "mixup_inference",
    "noisy",
)  # architectures with a layer of no known bounds
HOPELESS = ("preact_resnet",)  # bounds grow a hundred million times: nothing is proved at any eps
METHODS = ("ibp", "crown-ibp")  # which take nets of every size released
# In Linf, from those of nets made for proofs to the last digit of a pixel.
RADII = (0.03, 6e-3, 1e-3, 2e-4, 2e-5, 2e-6, 6e-7, 6e-8)
COUNT, DESCENTS = 2, 10


@pytest.mark.parametrize("folder", CARDS, ids=lambda folder: folder.name)
def test_what_is_certified_is_not_broken(folder):
    config = json.loads((folder / "config.json").read_text())
    released = robustzoo.load(folder)
    if config["architecture"] in BOUNDLESS:
        with pytest.raises(ValueError, match="no bounds are known of"):
            Graph(released)
        return
    model, descend = net(config["architecture"], json.dumps(config["arguments"]))
    model.set_weights(released.get_weights())
    x = pictures(config["input_shape"])
    labels = forward(model, x, COUNT).argmax(axis=1).astype("int32")
    if config["architecture"] in HOPELESS:
        assert not proved(model, x, labels, RADII[-1:]).any()
        return
    radii = proved(model, x, labels, RADII)
    assert radii.any()
    # As far as it is proved nothing is found; much further something is: the attack is one.
    assert not broken(descend, x, labels, radii).any()
    assert broken(descend, x, labels, np.full(COUNT, 0.6)).any()


def proved(model, x, labels, candidates):
    """The largest of the candidates at which an image is certified, or 0, (B,)."""
    radii = np.zeros(COUNT)
    for eps in candidates:
        left = radii == 0
        if left.any():
            sure = certify(model, x[left], labels[left], eps, method=METHODS).certified
            radii[left] = np.where(sure, eps, 0.0)
    return radii


@functools.cache
def net(architecture, arguments):
    """A model of its kind, and a compiled attack on whatever weights it has."""
    model = architectures.build(architecture, json.loads(arguments))

    def descend(z, x, eps, y):
        """A step of gradient ascent on the margin within boxes, and the logits before it."""

        def losses(z):
            logits = model(z, training=False)
            return margin(y, logits), logits

        _, logits, gradient = input_gradient(losses, z)
        moved = z + eps / 4.0 * ops.sign(gradient)
        return ops.clip(x + ops.clip(moved - x, -eps, eps), 0.0, 1.0), logits

    return model, compiled(descend, model.variables)


def broken(descend, x, labels, radii):
    """Whether any of some steps, from a corner on, changes the answer, (B,)."""
    eps = radii.reshape(-1, 1, 1, 1).astype("float32")
    z, found = (x + eps * np.sign(x - 0.5)).clip(0.0, 1.0), np.zeros(len(x), bool)
    given = [ops.convert_to_tensor(part) for part in (x, eps, labels)]
    z = ops.convert_to_tensor(z)
    for _ in range(DESCENTS):
        z, logits = descend(z, *given)
        found |= ops.convert_to_numpy(logits).argmax(axis=1) != labels
    return found


def pictures(shape):
    """A digit and its negative, as large as the model wants them, its colours alike."""
    with Image.open(ROOT / "docs" / "digit.png") as image:
        digit = np.asarray(image.convert("L").resize(shape[1::-1]), "float32") / 255
    x = np.stack([digit, 1.0 - digit])[..., None]
    return np.repeat(x, shape[2], axis=-1).astype("float32")
