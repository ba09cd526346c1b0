"""Accuracy without and under attack."""

import functools
import numbers
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import keras
import numpy as np

from robustzoo.attacks import Attack, generate, run
from robustzoo.attacks.base import fooled
from robustzoo.certification import Certificate
from robustzoo.check_number import check_number
from robustzoo.checks import is_attack
from robustzoo.detect import abstains
from robustzoo.evaluation._bar import progress_bar
from robustzoo.evaluation._data import checked_data
from robustzoo.evaluation._same import same
from robustzoo.evaluation.checks import (
    ENOUGH,
    check_model,
    check_results,
    is_random,
    left_by_white_box,
    rejection_unknown,
)
from robustzoo.evaluation.describe import describe
from robustzoo.evaluation.fully_described import fully_described
from robustzoo.evaluation.lower_precision import lower_precision
from robustzoo.evaluation.report import Report, Result
from robustzoo.evaluation.suite import suite
from robustzoo.forward import forward
from robustzoo.hashes import sha256
from robustzoo.journal import Journal
from robustzoo.threats import L1, L2, ROUNDING, Linf, to_config

BLOCK = 500  # examples between two entries of the journal


def evaluate(
    model: keras.Model,
    data,
    threat: Linf | L2 | L1,
    attacks: Mapping[str, Callable] | None = None,
    *,
    cascade: bool = False,
    certificate: Certificate | None = None,
    checks: bool = True,
    dataset: str = "",
    batch_size: int = 128,
    seed: int = 0,
    sample_seed: int | None = None,
    precision: str = "float32",
    journal: str | Path | None = None,
    tell: Callable[[Result], None] = lambda result: None,
) -> Report:
    """Attacks `model` and reports, per example, what survived.

    An example is broken by what fools the model, judged once more in float32 at the end, and lies
    within the threat, whatever the attack was after. The worst case is taken per example. What a
    model of `detect.abstaining` rejects is an error without attack, and withstood under one.

    Args:
        model: from images in [0, 1] to logits.
        data: something with `images` and `labels`, such as `datasets.load("mnist").test`, or the
            two as a tuple: float (N, H, W, C) in [0, 1] and integers (N,).
        threat: what the adversary may do.
        attacks: by label; default `suite(threat)`, of a model that abstains its "evasion".
        cascade: each attack sees only the examples that those before it left, as in AutoAttack;
            else every correctly classified one, so that each row stands for itself.
        certificate: what `certify` proved of these images within this threat: they count as robust
            and no attack of the cascade sees them, which saves most of its time.
        checks: look for signs that the numbers flatter the model.
        dataset, sample_seed: where the examples came from, for the report.
        seed: of all noise.
        precision: "bfloat16" searches in it, where that is faster.
        journal: folder that keeps what is done, so that the same call goes on after an
            interruption; None keeps nothing, and so do attacks that are closures, lambdas or the
            like, which have but a name.
        tell: called with each result as soon as it is there.
    """
    _check_arguments(threat, attacks, batch_size, seed)
    seed = int(seed)  # JSON knows no integers of NumPy
    images, labels = checked_data(model, data)
    if abstains(model):
        _check_rejecting(model, labels, precision)
    if attacks is None:
        attacks = suite(threat, "evasion" if abstains(model) else "pgd")
    attacks = _judgeable(attacks, threat)
    weights, examples = sha256(*model.get_weights()), sha256(images, labels)
    proved = _proved(certificate, weights, examples, threat, cascade)
    clean, logits = _unattacked(model, images, labels, threat, batch_size, seed)
    tell(clean)
    proved = clean.robust & proved
    # The logits tell apart what the weights do not: a temperature, noise, what is done to images.
    facts = [sha256(logits), examples, str(threat), cascade, seed, precision, sha256(proved)]
    kept = _journal(journal, model, attacks, facts)
    judge = _Judge(model, images, proved, threat, cascade, batch_size, seed, precision, kept)
    results = [clean]
    for result in _attacked(judge, attacks, images, labels, clean.robust):
        results.append(result)
        tell(result)
    findings = None
    if checks:
        findings = _findings(model, images, labels, threat, seed, attacks, results)
    kept.close()
    return Report(
        dataset, threat, weights, examples, seed, sample_seed, tuple(results), findings, precision,
        certificate and _about(certificate), _rejected(logits) if abstains(model) else None,
    )  # fmt: skip


def _check_arguments(threat, attacks, batch_size, seed):
    if not isinstance(threat, Linf | L2 | L1):
        raise ValueError(
            f"threat must be Linf, L2 or L1, such as Linf(8 / 255). Received: {threat!r}"
        )
    given = attacks.values() if isinstance(attacks, Mapping) else [None]
    if attacks is not None and not all(map(is_attack, given)):
        raise ValueError(
            'attacks must be attacks by their labels, such as {"PGD": PGD(threat, 2 / 255)}. '
            f"Received: {attacks!r:.200}"
        )
    if attacks and "clean" in attacks:
        raise ValueError(
            "attacks must have other labels than 'clean', which is that of the row without attack. "
            f"Received: {list(attacks)}"
        )
    check_number("batch_size", batch_size, ">= 1", whole=True)
    if not isinstance(seed, numbers.Integral) or not 0 <= seed < 2**31:
        raise ValueError(f"seed must be an integer from 0 to 2^31 - 1. Received: {seed!r}")


def _check_rejecting(model, labels, precision):
    """Raises ValueError for what a model that abstains cannot be asked."""
    if precision != "float32":
        raise ValueError(f"a model that abstains is attacked in float32. Received: {precision!r}")
    if labels.max() == model.output_shape[-1] - 1:
        raise ValueError(f"labels must be classes, and {labels.max()} is the model's rejection")


def _unattacked(model, images, labels, threat, batch_size, seed):
    """The `Result` without attack, and the logits."""
    start = time.monotonic()
    logits = forward(model, images, batch_size)
    correct = logits.argmax(axis=-1) == labels
    distance = np.where(correct, np.inf, 0.0)
    norm, seconds = type(threat).__name__, time.monotonic() - start
    clean = Result("clean", "none", {}, correct, distance, norm, False, 0, 0, seconds, seed)
    return clean, logits


def _proved(certificate, weights, examples, threat, cascade):
    """Which images (N,) need no attack, as `certificate` covers them; False without one."""
    if certificate is None:
        return False
    if not cascade:
        raise ValueError(
            "certificate needs cascade=True: without, each attack stands for itself, on all images"
        )
    of = {"model": weights, "data": examples, "threat": threat}
    its = (certificate.model_sha256, certificate.data_sha256, certificate.threat)
    for (name, wanted), found in zip(of.items(), its, strict=True):
        if not same(found, wanted):
            raise ValueError(
                f"certificate must be of this model, these images and this threat. Received: one "
                f"of the {name} {found}, evaluated is {wanted}"
            )
    return certificate.certified


def _rejected(logits):
    """Share of the images of which a model that abstains says its last class."""
    return round(float((logits.argmax(axis=-1) == logits.shape[-1] - 1).mean()), 6)


def _about(certificate):
    """What the record of an evaluation says of its certificate."""
    return {
        "methods": list(certificate.methods),
        "examples": int(certificate.certified.sum()),
        "tolerance": certificate.tolerance,
        "seconds": round(certificate.seconds, 1),
    }


def _journal(folder, model, attacks, facts):
    """The `Journal` of an evaluation that `attacks` and `facts` decide."""
    # What a name alone describes may be another attack when the same call comes again.
    folder = folder if all(map(fully_described, attacks.values())) else None
    plan = {label: describe(attack) for label, attack in attacks.items()}
    return Journal(folder, model, ["evaluate", *facts, plan])


def _attacked(judge, attacks, images, labels, correct):
    """Yields the `Result` of each attack, with a bar that says how far it is."""
    left = correct
    with progress_bar(12) as bar:
        for label, attack in attacks.items():
            rows = np.flatnonzero((left if judge.cascade else correct) & ~judge.proved)
            advance = functools.partial(bar.advance, bar.add_task(label, total=len(rows)))
            result = judge(label, attack, images, labels, correct, rows, advance)
            left = left & result.robust
            yield result


def _findings(model, images, labels, threat, seed, attacks, results):
    """What the checks of the model and of the results have to say."""
    if abstains(model):  # the attacks of the checks would take rejection for success
        unaware = rejection_unknown(attacks)
        return (*([unaware] if unaware else []), *check_results(results))
    draws = [getattr(attack, "draws", 1) for attack in attacks.values()]
    averaged = min(draws, default=1) >= ENOUGH
    left = left_by_white_box(results)
    alone = check_model(model, images, labels, threat, seed, averaged, left)
    return (*alone, *check_results(results))


class _Judge:
    """Runs one attack after the other over blocks of examples, and decides what it broke."""

    def __init__(
        self, model, images, proved, threat, cascade, batch_size, seed, precision, journal
    ):
        self.model, self.proved, self.threat, self.cascade = model, proved, threat, cascade
        self.batch_size, self.seed, self.journal = batch_size, seed, journal
        self.searched = model if precision == "float32" else lower_precision(model, precision)
        self.random, self.rejects = is_random(model, images), abstains(model)

    def __call__(self, label, attack, images, labels, correct, rows, advance):
        """The `Result` of `attack` on the examples at `rows`."""
        robust, distance = self.proved.copy(), np.where(correct, np.nan, 0.0)
        totals = np.zeros(3)
        for first in range(0, len(rows), BLOCK):
            at, key = rows[first : first + BLOCK], f"{label}/{first}"
            if key in self.journal:
                advance(len(at))
            else:
                block = self._block(attack, images[at], labels[at], self.seed + first, advance)
                self.journal.put({key: block})
            broken, distance[at], spent = np.split(self.journal.get(key), [len(at), 2 * len(at)])
            robust[at] = broken == 0
            totals += spent
        about, norm = describe(attack), _measure(attack, self.threat)[0]
        arguments = about["arguments"]
        if arguments.get("threat") == to_config(self.threat):
            del arguments["threat"]
        minimal = getattr(attack, "minimal", False) and not self.cascade  # there it may end early
        gradients, queries, seconds = int(totals[0]), int(totals[1]), float(totals[2])
        return Result(
            label, about["attack"], arguments, robust, distance, norm, minimal,
            gradients, queries, seconds, self.seed, self.cascade,
        )  # fmt: skip

    def _block(self, attack, images, labels, seed, advance):
        """One flat array: broken (N,), distance (N,), gradients, queries, seconds."""
        start = time.monotonic()
        outcome = self._attack(attack, self.searched, images, labels, seed, advance)
        found, success, gradients, queries = outcome
        wrong = self._wrong(found, labels)
        inside = keras.ops.convert_to_numpy(self.threat.contains(found, images))
        wanted = inside | (self._until(attack) is None)
        again = np.flatnonzero(success & ~wrong & wanted)
        if len(again) and self.searched is not self.model:
            # Only rounding made these look broken: they deserve a search in float32.
            more = self._attack(attack, self.model, images[again], labels[again], seed)
            found[again], gradients, queries = more[0], gradients + more[2], queries + more[3]
            wrong[again] = self._wrong(more[0], labels[again])
            inside = keras.ops.convert_to_numpy(self.threat.contains(found, images))
        distance = keras.ops.convert_to_numpy(_measure(attack, self.threat)[1](found, images))
        distance = np.where(wrong, distance, np.inf)
        seconds = time.monotonic() - start
        return np.concatenate([wrong & inside, distance, [gradients, queries, seconds]])

    def _wrong(self, images, labels):
        logits = forward(self.model, images, self.batch_size)
        wrong = keras.ops.convert_to_numpy(fooled(logits, labels)).copy()
        return wrong & (logits.argmax(axis=-1) < logits.shape[-1] - self.rejects)

    def _attack(self, attack, model, images, labels, seed, advance=lambda count: None):
        """Adversarial images (N, ...), whether they seemed to succeed, gradients, queries."""
        if not isinstance(attack, Attack):
            found = generate(attack, model, images, labels, self.batch_size, seed)
            advance(len(images))
            return found, np.ones(len(images), bool), 0, 0
        until = self._until(attack)
        out = run(attack, model, images, labels, self.batch_size, seed, until, advance)
        return out.images, out.success, out.gradients, out.queries

    def _until(self, attack):
        """When an example has been attacked enough: not before the smallest change, if asked.

        A random model may be fooled once by luck; it is judged by other noise, so that is not it.
        The same goes for a model that answers by the batch, of which it is judged in another.
        An attack that ends as soon as a model abstains would never get past that.
        """
        if self.random or self.rejects or (getattr(attack, "minimal", False) and not self.cascade):
            return None
        return self.threat.contains


def _measure(attack, threat):
    """(name of the norm, (z, x) -> distance (N,)) in which an attack's examples are measured."""
    norm = getattr(attack, "norm", None) or type(getattr(attack, "threat", None) or threat)
    return norm.__name__, norm(0.0).distance


def _judgeable(attacks, threat):
    """`attacks`, if what they find can lie within `threat`; ValueError otherwise."""
    for label, attack in attacks.items():
        if getattr(attack, "targeted", False):
            raise ValueError(
                "robust accuracy needs untargeted attacks, for any other class counts. Received: "
                f"{label!r}, which is targeted"
            )
        if not isinstance(attack, Attack) or attack.minimal:
            continue
        own = getattr(attack, "threat", None)
        if own is None or (type(own) is type(threat) and own.eps > threat.eps + ROUNDING):
            raise ValueError(
                f"robust accuracy within {threat} needs attacks that stay within it, or that look "
                f"for the smallest change: what lies outside breaks nothing. Received: {label!r}, "
                f"which {f'goes up to {own}' if own else 'has no threat'}"
            )
    return attacks
