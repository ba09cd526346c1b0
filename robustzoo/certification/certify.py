"""A proof that no image within a threat is classified otherwise, or none."""

import time
from collections.abc import Callable, Sequence
from numbers import Real
from pathlib import Path

import keras
import numpy as np

from robustzoo.certification.arrays import FLOAT64
from robustzoo.certification.bounds import MEMORY
from robustzoo.certification.certificate import Certificate
from robustzoo.certification.certifier import Certifier
from robustzoo.certification.methods import METHODS, chosen
from robustzoo.check_number import check_number
from robustzoo.checks import check_data
from robustzoo.hashes import sha256
from robustzoo.journal import Journal
from robustzoo.threats import L1, L2, Linf

TOLERANCE = 1e-4
EVERY = 10.0  # seconds between two entries of the journal


def certify(
    model: keras.Model,
    images,
    labels,
    threat: Linf | L2 | L1 | float,
    method: str | Sequence[str] = ("ibp", "crown-ibp", "crown"),
    *,
    cascade: bool = False,
    clip: bool = True,
    tolerance: float = TOLERANCE,
    batch_size: int = 100,
    memory: int = MEMORY,
    seconds: float = 60.0,
    journal: str | Path | None = None,
    advance: Callable[[str, int, int], None] = lambda method, done, total: None,
) -> Certificate:
    """Proves for each image that `model` gives its label everywhere within `threat`, if it can.

    An image is certified if z_y - z_j > tolerance max |z| on the whole threat, for all j != y by
    any of the methods, with the |z| of the image; every method is sound, so for each j the best
    counts. The bounds are theorems of real numbers, computed in float64: they hold up to rounding,
    which the tolerance is for. Where the deployed model rounds the image's own margins by more, it
    is not certified; how it rounds those of the images around is not bounded.

    Args:
        model: functional or Sequential, from images in [0, 1] to logits.
        images, labels: (N, H, W, C) in [0, 1] and integers (N,).
        threat: a number is the eps of `Linf`.
        method: some of `METHODS`.
        cascade: each method, in their order, sees only the images that those before it left, and
            those that take minutes ("alpha-crown", "lp", "milp") only the rivals j that are left.
        clip: whether pixels stay in [0, 1], as in all threats; without it the bounds are looser.
        tolerance: share of the largest logit that a margin must exceed, and that the image's own
            margins may be rounded by; 0 asks nothing of rounding. The default is for models that
            run in float32: in TF32, as accelerators multiply unless told otherwise, or in bfloat16
            each product is off by 5e-4 or 4e-3.
        memory: bytes that the coefficients of linear bounds may take.
        seconds: time limit of one margin of "lp" and "milp", which give no less than "crown" does.
        journal: folder that keeps what is done, batch by batch, so that the same call goes on
            after an interruption; None keeps nothing.
        advance: called with a method, the images it has seen and those it is given.

    Raises:
        ValueError: a layer has no known bounds, or an argument is none of the above.
    """
    names, threat = chosen(method), _threat(threat)
    check_options(tolerance, batch_size, memory, seconds)
    images, labels = check_data(model, images, labels)
    about = sha256(*model.get_weights()), sha256(images, labels)
    start = time.monotonic()
    certifier = Certifier(model, type(threat), clip, memory, seconds)
    certifier.check(names)
    correct, scale = certifier.answers(images, labels, tolerance, batch_size)
    spent = time.monotonic() - start
    options = bool(cascade), bool(clip), float(tolerance), int(batch_size), float(seconds)
    facts = [about[1], sha256(correct, scale), repr(threat), *options, names]
    kept = Journal(journal, model, ["certify", *facts], EVERY)
    margins = {name: np.full(len(images), -np.inf) for name in names}
    best = np.full((len(images), model.output_shape[-1]), -np.inf)
    left, enough = correct & np.isfinite(scale), tolerance * scale
    if not cascade:
        enough = np.full(len(images), np.inf)
    for name, own in margins.items():
        todo = np.flatnonzero(left)
        # A solver takes them one by one, and minutes each.
        count = 1 if METHODS[name].program else batch_size
        for begin in range(0, len(todo), count):
            at, key = todo[begin : begin + count], f"{name}/{begin}"
            if key not in kept:
                given = name, images[at], labels[at], threat.eps, best[at], enough[at, None]
                kept.put(_timed(key, certifier.margins, *given))
            bounds, spent = kept.get(key), spent + float(kept.get(f"{key}/seconds"))
            own[at], best[at] = bounds.min(axis=1), np.maximum(best[at], bounds)
            advance(name, begin + len(at), len(todo))
        left = left & ~(best.min(axis=1) > enough)
    kept.close()
    return Certificate(
        threat, clip, names, margins, best.min(axis=1), scale, correct, tolerance, FLOAT64.dtype,
        spent, *about,
    )  # fmt: skip


def _timed(key, bounds, *arguments):
    """What `bounds` finds and the seconds it takes, as entries of a journal."""
    start = time.monotonic()
    found = bounds(*arguments)
    return {key: found, f"{key}/seconds": np.array(time.monotonic() - start)}


def _threat(threat):
    if isinstance(threat, Linf | L2 | L1):
        return threat
    if isinstance(threat, Real) and not isinstance(threat, bool):
        return Linf(threat)
    raise ValueError(
        f"threat must be Linf, L2 or L1, or the eps of Linf. Received: {threat!r:.100}"
    )


def check_options(tolerance, batch_size, memory, seconds) -> None:
    """Raises ValueError unless all four are what `certify` takes."""
    if not isinstance(tolerance, Real) or not 0 <= tolerance < float("inf"):
        raise ValueError(f"tolerance must be a finite number >= 0. Received: {tolerance!r}")
    check_number("batch_size", batch_size, ">= 1", whole=True)
    if not isinstance(memory, Real) or not 0 < memory < float("inf"):
        raise ValueError(f"memory must be a number of bytes > 0. Received: {memory!r}")
    if not isinstance(seconds, Real) or not 0 < seconds < float("inf"):
        raise ValueError(f"seconds must be a finite number > 0. Received: {seconds!r}")
