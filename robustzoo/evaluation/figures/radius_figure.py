"""What smoothing certifies against the radius."""

from collections.abc import Mapping

import numpy as np

from robustzoo.evaluation.figures.accuracy_figure import accuracy_figure
from robustzoo.smoothing import SmoothedCertificate

POINTS = 400  # steps look like steps


def radius_figure(proofs: Mapping[str, SmoothedCertificate]) -> bytes:
    """PNG of certified accuracy against the L2 radius, a curve for each label, say each sigma.

    Where a curve ends at its ceiling, more draws per image would carry it on.
    """
    if not proofs:
        raise ValueError("a figure needs at least one certificate. Received: none")
    radii = np.linspace(0, max(proof.ceiling for proof in proofs.values()), POINTS)
    curves = {
        label: {"certified": (radii, [proof.accuracy(eps) for eps in radii])}
        for label, proof in proofs.items()
    }
    return accuracy_figure(curves, "L2 radius")
