"""What an evaluation found."""

import dataclasses

import numpy as np

from robustzoo.attacks import PGD
from robustzoo.provenance import provenance
from robustzoo.threats import L2, Linf, format_eps, to_config


@dataclasses.dataclass(frozen=True)
class Result:
    """One attack: `robust` (N,) tells the examples that it failed to break, misclassified ones not.

    `gradients` counts input gradients, `seconds` is wall time with compilation.
    """

    label: str
    attack: PGD | None
    robust: np.ndarray
    gradients: int
    seconds: float

    @property
    def accuracy(self) -> float:
        """Share of the examples that stay correct."""
        return float(self.robust.mean())


@dataclasses.dataclass(frozen=True)
class Report:
    """Outcomes of several attacks on the same examples; the first result is without attack."""

    dataset: str
    threat: Linf | L2
    seed: int
    sample_seed: int | None
    results: tuple[Result, ...]

    @property
    def robust(self) -> np.ndarray:
        """Examples (N,) that no attack broke."""
        return np.logical_and.reduce([result.robust for result in self.results])

    @property
    def worst_case_accuracy(self) -> float:
        """Share of the examples that stay correct under every attack."""
        return float(self.robust.mean())

    def to_dict(self, command: str) -> dict:
        """What eval.json holds; `command` reproduces it."""
        return {
            "dataset": self.dataset,
            "split": "test",
            "examples": len(self.robust),
            "sample_seed": self.sample_seed,
            "threat": to_config(self.threat),
            "command": command,
            **provenance(),
            "results": [self._entry(result) for result in self.results],
            "worst_case_accuracy": round(self.worst_case_accuracy, 6),
        }

    def _entry(self, result):
        attack = result.attack
        return {
            "attack": type(attack).__name__ if attack else "none",
            "label": result.label,
            "arguments": _arguments(attack) if attack else {},
            "seed": self.seed,
            "accuracy": round(result.accuracy, 6),
            "gradients": result.gradients,
            "seconds": round(result.seconds, 1),
        }


def _arguments(attack):
    return {
        "steps": attack.steps,
        "step_size": format_eps(attack.step_size),
        "restarts": attack.restarts,
        "loss": attack.loss.__name__,
        "start": attack.start,
        "draws": attack.draws,
    }
