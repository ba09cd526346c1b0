"""The question whether an image is robust, for other verifiers."""

from pathlib import Path

import numpy as np

from robustzoo.certification.arrays import FLOAT64
from robustzoo.certification.region import Region
from robustzoo.checks import check_images, check_labels
from robustzoo.threats import Linf
from robustzoo.writable import writable


def write_vnnlib(
    path: str | Path, image, label: int, classes: int, threat: Linf, clip: bool = True
) -> Path:
    """Writes as VNN-LIB 1.0: is there an image within `threat` and a j with z_j >= z_label?

    X_i are the pixels of (H, W, C), flat, in the order of `write_onnx`, and Y_j the logits. "unsat"
    is a proof of robustness, "sat" comes with a counterexample.

    Args:
        image: (H, W, C) in [0, 1].
        clip: whether pixels stay in [0, 1].

    Returns the path. Raises ValueError for another threat than `Linf`, of which a file of bounds
    cannot tell, and FileNotFoundError if there is no folder for the file.
    """
    if not isinstance(threat, Linf):
        raise ValueError(f"VNN-LIB bounds every pixel: threat must be Linf. Received: {threat!r}")
    image = check_images(np.asarray(image)[None])
    (label,) = check_labels(np.array([label]), 1, classes).tolist()
    path = writable(path)
    region = Region(FLOAT64.read(image), FLOAT64.read([threat.eps]), Linf, clip)
    low, high = (end.ravel() for end in region.box(FLOAT64))
    lines = [f"; is an image within {threat} of this one not of class {label}?"]
    lines += [f"(declare-const X_{i} Real)" for i in range(len(low))]
    lines += [f"(declare-const Y_{j} Real)" for j in range(classes)]
    for i, (least, most) in enumerate(zip(low, high, strict=True)):
        lines += [f"(assert (>= X_{i} {_real(least)}))", f"(assert (<= X_{i} {_real(most)}))"]
    rivals = [f"    (and (>= Y_{j} Y_{label}))" for j in range(classes) if j != label]
    path.write_text("\n".join([*lines, "(assert (or", *rivals, "))", ""]))
    return path


def _real(value):
    """The shortest decimal that is read as the same number; VNN-LIB has no exponents."""
    return np.format_float_positional(value, trim="0")
