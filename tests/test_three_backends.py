"""One set of weights, three backends: the same adversarial images, pixel for pixel."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from robustzoo.zoo.locate import local_folder

ATTACKED = """
import sys
import numpy as np
from tiny import tiny_batch, tiny_classifier
from robustzoo.attacks import bim, generate
from robustzoo.threats import L2, Linf

x, y = tiny_batch()
model = tiny_classifier(seed=7)
images = [generate(bim(t, t.eps / 4), model, x, y) for t in (Linf(8 / 255), L2(0.5))]
np.save(sys.argv[1], np.stack(images))
"""

RELEASED = """
import sys
import keras
import numpy as np
import robustzoo

images = np.random.default_rng(0).uniform(size=(2, 32, 32, 3)).astype("float32")
logits = robustzoo.load("trades-cifar10")(images)
np.save(sys.argv[1], keras.ops.convert_to_numpy(logits))
"""


def computed(script, backend, folder):
    """The array that `script` saves, run on `backend`."""
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    file = folder / f"{backend}.npy"
    environment = os.environ | {
        "KERAS_BACKEND": backend,
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path]),
    }
    subprocess.run([sys.executable, "-c", script, str(file)], env=environment, check=True)
    return np.load(file)


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    return computed(ATTACKED, "tensorflow", tmp_path_factory.mktemp("reference"))


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    return computed(RELEASED, "tensorflow", tmp_path_factory.mktemp("released"))


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_same_images(backend, reference, tmp_path):
    images = computed(ATTACKED, backend, tmp_path)
    np.testing.assert_allclose(images[0], reference[0], atol=1e-6)  # Linf: signs decide, exactly
    np.testing.assert_allclose(images[1], reference[1], atol=1e-5)


@pytest.mark.skipif(local_folder("trades-cifar10") is None, reason="only a checkout has the model")
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_same_logits_of_a_released_model(backend, released, tmp_path):
    logits = computed(RELEASED, backend, tmp_path)
    assert np.abs(released).max() > 0.1
    np.testing.assert_allclose(logits, released, rtol=0, atol=1e-4)
