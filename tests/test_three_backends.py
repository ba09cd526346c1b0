"""One set of weights, three backends: the same adversarial images, pixel for pixel."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

SCRIPT = """
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


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    return attacked("tensorflow", tmp_path_factory.mktemp("reference"))


def attacked(backend, folder):
    file = folder / f"{backend}.npy"
    environment = os.environ | {
        "KERAS_BACKEND": backend,
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path]),
    }
    subprocess.run([sys.executable, "-c", SCRIPT, str(file)], env=environment, check=True)
    return np.load(file)


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_same_images(backend, reference, tmp_path):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    images = attacked(backend, tmp_path)
    np.testing.assert_allclose(images[0], reference[0], atol=1e-6)  # Linf: signs decide, exactly
    np.testing.assert_allclose(images[1], reference[1], atol=1e-5)
