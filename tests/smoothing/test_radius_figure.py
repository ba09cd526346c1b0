"""The figure of radii: what is drawn, and that it is a picture."""

import io
import sys

import numpy as np
import pytest
from PIL import Image

from robustzoo.evaluation.figures import radius_figure
from robustzoo.smoothing import SmoothedCertificate


def proof(sigma, hits):
    ones = np.ones(len(hits), int)
    return SmoothedCertificate(sigma, 100, 1000, 0.001, 0, ones, ones, np.array(hits), 1.5)


def test_draws_a_curve_for_each_sigma(monkeypatch):
    proofs = {"sigma 0.25": proof(0.25, [1000, 900, 500]), "sigma 1": proof(1.0, [990, 700, 400])}
    image = Image.open(io.BytesIO(radius_figure(proofs)))
    assert image.format == "PNG" and image.width > 500
    module = sys.modules[radius_figure.__module__]
    monkeypatch.setattr(module, "accuracy_figure", lambda curves, xlabel: curves)
    for label, drawn in radius_figure(proofs).items():
        radii, shares = drawn["certified"]
        assert radii[0] == 0 and radii[-1] == proofs["sigma 1"].ceiling
        assert shares[0] == pytest.approx(2 / 3) and (np.diff(shares) <= 0).all()
        last = radii[np.flatnonzero(shares)[-1]]
        assert last == pytest.approx(proofs[label].radius.max(), abs=radii[1])


def test_refuses_nothing_to_draw():
    with pytest.raises(ValueError, match="at least one certificate"):
        radius_figure({})
