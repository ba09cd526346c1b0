"""Accuracy without and under attack."""

import functools
import sys
import time
from collections.abc import Mapping

import keras
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from robustzoo.attacks import PGD
from robustzoo.checks import check_images, check_labels
from robustzoo.evaluation.report import Report, Result
from robustzoo.evaluation.suite import suite
from robustzoo.evaluation.survivors import predict, survivors
from robustzoo.threats import L2, Linf


def evaluate(
    model: keras.Model,
    images: np.ndarray,
    labels: np.ndarray,
    threat: Linf | L2,
    attacks: Mapping[str, PGD] | None = None,
    *,
    dataset: str = "",
    batch_size: int = 128,
    seed: int = 0,
    sample_seed: int | None = None,
) -> Report:
    """Attacks `model` and reports, per example, what survived.

    Every attack sees every correctly classified example, so each row of the report stands for
    itself, and the worst case is taken per example over the rows.

    Args:
        model: from images in [0, 1] to logits.
        images, labels: float (N, H, W, C) in [0, 1] and integers (N,).
        threat: what the adversary may do.
        attacks: by label; default `suite(threat)`.
        dataset, sample_seed: where the examples came from, for the report.
        seed: of the random starts.
    """
    images = check_images(images, model.input_shape[1:])
    labels = check_labels(labels, len(images), model.output_shape[-1])
    start = time.monotonic()
    correct = predict(model, images, batch_size) == labels
    results = [Result("clean", None, correct, 0, time.monotonic() - start)]
    rows = np.flatnonzero(correct)
    with _bar() as bar:
        for label, attack in (attacks or suite(threat)).items():
            start, robust, gradients = time.monotonic(), np.zeros_like(correct), 0
            advance = functools.partial(bar.advance, bar.add_task(label, total=len(rows)))
            if len(rows):
                robust[rows], gradients = survivors(
                    attack, model, images[rows], labels[rows], batch_size, seed, advance
                )
            seconds = time.monotonic() - start
            results.append(Result(label, attack, robust, gradients, seconds))
    return Report(dataset, threat, seed, sample_seed, tuple(results))


def _bar():
    columns = TextColumn("{task.description:>12}"), BarColumn(), TimeElapsedColumn()
    return Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty())
