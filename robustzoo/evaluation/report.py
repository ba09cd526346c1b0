"""What an evaluation found."""

import dataclasses
import json
from pathlib import Path

import numpy as np

from robustzoo.evaluation._same import same
from robustzoo.evaluation.checks import BLACK_BOX, TRANSFER, check_results
from robustzoo.evaluation.findings import Finding
from robustzoo.provenance import provenance
from robustzoo.threats import L1, L2, Linf, from_config, to_config
from robustzoo.write_whole import write_whole


@dataclasses.dataclass(frozen=True)
class Result:
    """One attack on N examples.

    Attributes:
        label: unique in a report, "PGD-20".
        attack: class name, "none" for accuracy without attack.
        arguments: of the attack, as JSON.
        robust: bool (N,), examples that stay correct: neither misclassified before nor broken by
            this attack within the threat; in a cascade nor by one before it.
        distance: float (N,), of the adversarial example found, whatever its size, in `norm`. 0
            where the image was misclassified already, inf where nothing was found, NaN where this
            attack was spared the example: an earlier one had broken it, or it is proved.
        norm: in which `distance` is, "Linf".
        minimal: whether the attack looked for the smallest distance, however small eps is.
        gradients, queries: spent on all examples.
        seconds: wall time with compilation.
        seed: of all noise; that of the report where an older file does not say.
        cascade: whether this attack saw only what the ones before it had left.
    """

    label: str
    attack: str
    arguments: dict
    robust: np.ndarray
    distance: np.ndarray
    norm: str
    minimal: bool
    gradients: int
    queries: int
    seconds: float
    seed: int = 0
    cascade: bool = False

    @property
    def accuracy(self) -> float:
        """Share of the examples that stay correct."""
        return float(self.robust.mean())

    @property
    def found(self) -> np.ndarray:
        """Distances of the adversarial examples found, without those misclassified before."""
        return self.distance[np.isfinite(self.distance) & (self.distance > 0)]


@dataclasses.dataclass(frozen=True)
class Report:
    """Outcomes of several attacks on the same examples; the first result is without attack.

    Attributes:
        model, data: sha256 of the weights and of images and labels.
        findings: what makes the numbers doubtful; empty if the checks found nothing, None if they
            were not run.
        precision: in which adversarial examples were searched for; they are judged in float32.
        proved: of a certificate whose images count as robust without attack, its "methods", how
            many "examples" it proves, its "tolerance" and "seconds"; None without one.
        rejected: share of the clean images that a model which abstains rejects; None of others.
    """

    dataset: str
    threat: Linf | L2 | L1
    model: str
    data: str
    seed: int
    sample_seed: int | None
    results: tuple[Result, ...]
    findings: tuple[Finding, ...] | None = None
    precision: str = "float32"
    proved: dict | None = None
    rejected: float | None = None

    @property
    def robust(self) -> np.ndarray:
        """Examples (N,) that no attack broke."""
        return np.logical_and.reduce([result.robust for result in self.results])

    @property
    def worst_case_accuracy(self) -> float:
        """Share of the examples that stay correct under every attack."""
        return float(self.robust.mean())

    @property
    def broken_by(self) -> list[str | None]:
        """Per example, the first attack that broke it; "clean" if it was wrong before, or None."""
        robust = np.stack([result.robust for result in self.results])
        first = [None if row.all() else self.results[row.argmin()].label for row in robust.T]
        return first

    def __str__(self):
        low, high = interval(self.robust)
        verdict = ["not checked"]
        if self.findings is not None:
            doubts = [f"doubtful: {finding.name}: {finding.text}" for finding in self.findings]
            verdict = doubts or ["the checks found nothing wrong"]
        return "\n".join(
            [
                f"worst case {self.worst_case_accuracy:.2%} of {len(self.robust)} images within "
                f"{self.threat}, {low:.2%} to {high:.2%} with 95% confidence",
                *(f"  {result.label}: {result.accuracy:.2%}" for result in self.results),
                *verdict,
            ]
        )

    def to_dict(self, command: str) -> dict:
        """The record of eval.json, without the single examples; `command` reproduces it."""
        return {
            "dataset": self.dataset,
            "split": "test",
            "examples": len(self.robust),
            "sample_seed": self.sample_seed,
            "threat": to_config(self.threat),
            "cascade": any(result.cascade for result in self.results),
            "precision": self.precision,
            **({"proved": self.proved} if self.proved else {}),
            **({} if self.rejected is None else {"rejected": self.rejected}),
            "command": command,
            **provenance(),
            "results": [self._entry(result) for result in self.results],
            "worst_case_accuracy": round(self.worst_case_accuracy, 6),
            "interval": list(interval(self.robust)),
            "findings": self.findings and [dataclasses.asdict(f) for f in self.findings],
        }

    def save(self, path: str | Path) -> None:
        """Writes everything, the outcome of every example included, as JSON."""
        content = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        content["threat"] = to_config(self.threat)
        content["results"] = [_to_json(result) for result in self.results]
        content["findings"] = self.findings and [dataclasses.asdict(f) for f in self.findings]
        write_whole(path, json.dumps(content))

    @classmethod
    def read(cls, path: str | Path) -> "Report":
        """Reads what `save` wrote; ValueError if it is something else."""
        try:
            content = json.loads(Path(path).read_text())
            content["threat"] = from_config(content["threat"])
            # Reports used to hold one seed for all results, and whether they are a cascade.
            older = {"seed": content["seed"], "cascade": content.pop("cascade", False)}
            content["results"] = tuple(_from_json(older | r) for r in content["results"])
            if content["findings"] is not None:
                content["findings"] = tuple(Finding(**finding) for finding in content["findings"])
            if len({len(result.robust) for result in content["results"]}) != 1:
                raise ValueError("results of different numbers of examples, or none")
            return cls(**content)
        except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"{path} is not a report of an evaluation: {error!r}") from error

    def merge(self, other: "Report") -> "Report":
        """Both reports' attacks on the same model and examples, as one.

        It has findings if both were checked: those on the model, and those on all results together.
        """
        for name in ("model", "data", "threat", "precision", "proved"):
            ours, theirs = getattr(self, name), getattr(other, name)
            if not same(ours, theirs):
                raise ValueError(
                    f"reports of another {name} cannot be merged. Received: {ours} and {theirs}"
                )
        known = {result.label for result in self.results}
        new = [result for result in other.results if result.label not in known]
        again = [r.label for r in other.results[1:] if r.label in known]
        if again:
            raise ValueError(f"both reports hold a result labelled {again[0]!r}: rename one")
        results, findings = (*self.results, *new), None
        if self.findings is not None and other.findings is not None:
            # By name, for another seed may give the same finding another figure.
            found = {finding.name: finding for finding in (*other.findings, *self.findings)}
            alone = [f for name, f in found.items() if name not in (BLACK_BOX, TRANSFER)]
            findings = (*alone, *check_results(results))
        return dataclasses.replace(self, results=results, findings=findings)

    def _entry(self, result):
        found = result.found
        return {
            "attack": result.attack,
            "label": result.label,
            "arguments": result.arguments,
            "seed": result.seed,
            "accuracy": round(result.accuracy, 6),
            "norm": result.norm,
            "minimal": result.minimal,
            "found": len(found),
            "median_distance": round(float(np.median(found)), 6) if len(found) else None,
            "mean_distance": round(float(np.mean(found)), 6) if len(found) else None,
            "gradients": result.gradients,
            "queries": result.queries,
            "seconds": round(result.seconds, 1),
        }


def interval(robust: np.ndarray, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's interval of the share of True in `robust` (N,), for the population behind it."""
    from scipy.stats import binomtest

    bounds = binomtest(int(robust.sum()), len(robust)).proportion_ci(confidence, method="wilson")
    return round(float(bounds.low), 6), round(float(bounds.high), 6)


def _to_json(result):
    content = dataclasses.asdict(result)
    content["robust"] = np.flatnonzero(result.robust).tolist()
    # JSON has neither NaN nor inf: spared examples are null, unsuccessful ones -1.
    distance = np.where(np.isinf(result.distance), -1.0, result.distance)
    content["distance"] = [None if np.isnan(d) else float(f"{d:.6g}") for d in distance]
    return content


def _from_json(content):
    distance = np.array([np.nan if d is None else d for d in content["distance"]], "float32")
    distance[distance < 0] = np.inf
    robust = np.zeros(len(distance), bool)
    robust[content["robust"]] = True
    return Result(**{**content, "robust": robust, "distance": distance})
