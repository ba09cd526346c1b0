"""What the tables of ADP share: ensembles side by side under attack after attack."""

import numpy as np

from robustzoo import datasets, zoo
from robustzoo.attacks import MIM, PGD, bim, fgsm, run
from robustzoo.evaluation.predict import predict
from robustzoo.threats import Linf
from training.tables._accuracy import accuracy, adaptive_accuracy

BASE, ADP = "base", "ADP"  # how columns call the baseline and the model that the verdict is about
BUDGET = f"paper's attack {ADP}", f"adaptive {ADP}"  # what rows of attacks with a budget have


class Ensembles:
    """Models of one data set, measured side by side.

    Args:
        models: names by how the columns call them.
        examples: number of test images.
    """

    def __init__(self, dataset: str, models: dict[str, str], examples: int):
        self.dataset = dataset
        self.models = {who: zoo.load(name) for who, name in models.items()}
        self.data, self.known = datasets.load(dataset).test.sample(examples), {}

    def row(self, label: str, attack, published: list[float]) -> dict:
        """One row: published, under `attack`, and what an adaptive attack leaves at its eps."""
        values = {"data": self.dataset, "attack": label}
        threat = getattr(attack, "threat", None)
        for (who, model), number in zip(self.models.items(), published, strict=True):
            values[f"published {who}"] = number
            values[f"paper's attack {who}"] = accuracy(model, self.data, attack)
            values[f"adaptive {who}"] = self.adaptive(who, threat.eps) if threat else None
        return values

    def searched(self, label: str, attack) -> dict:
        """One row: what an attack without a budget leaves, and how far it had to go (median)."""
        values = {"data": self.dataset, "attack": label}
        for who, model in self.models.items():
            right = predict(model, self.data.images) == self.data.labels
            found = run(attack, model, self.data.images[right], self.data.labels[right])
            values[f"adaptive {who}"] = float(right.mean() * (1.0 - found.success.mean()))
            if found.success.any():
                values[f"distance {who}"] = float(np.median(found.distance[found.success]))
        return values

    def adaptive(self, who: str, eps: float) -> float:
        """Accuracy of one model under the adaptive attack at Linf `eps`."""
        if (who, eps) not in self.known:
            model = self.models[who]
            self.known[who, eps] = adaptive_accuracy(model, self.data, Linf(eps))
        return self.known[who, eps]


def columns(who) -> list[str]:
    """Columns of a table of models that are called so."""
    kinds = ("published", "paper's attack", "adaptive")
    return ["data", "attack", *(f"{kind} {name}" for kind in kinds for name in who)]


ITERATIVE = {"BIM": bim, "PGD": PGD, "MIM": MIM}


def budgeted(name: str, eps: float):
    """FGSM, or ten steps of eps / 10."""
    if name == "FGSM":
        return fgsm(Linf(eps))
    return ITERATIVE[name](Linf(eps), eps / 10, steps=10)


def verdict(rows) -> str:
    """One sentence: the gain of ADP under the paper's attacks and under the adaptive one."""
    pairs = [row for row in rows if all(row.get(cell) is not None for cell in BUDGET)]

    def gain(what):
        return sum(row[f"{what} {ADP}"] - row[f"{what} {BASE}"] for row in pairs) / len(pairs)

    weak, strong = gain("paper's attack"), gain("adaptive")
    left = max(row[f"adaptive {ADP}"] for row in pairs)
    return (
        f"Over the rows with a budget, ADP gains {100 * weak:.1f} points on its baseline under the "
        f"paper's attacks and {100 * strong:.1f} under the adaptive one, "
        f"which leaves it at most {100 * left:.1f} %."
    )
