"""What the tables of ADP share: an ensemble and its baseline under attack after attack."""

from robustzoo import datasets, zoo
from robustzoo.attacks import MIM, PGD, bim, fgsm
from robustzoo.threats import Linf
from training.tables._accuracy import accuracy, adaptive_accuracy


class Pair:
    """Two models of one data set, measured side by side.

    Args:
        names: of the baseline and of the other model.
        examples: number of test images.
    """

    def __init__(self, dataset: str, names: tuple[str, str], examples: int):
        self.dataset, self.models = dataset, [zoo.load(name) for name in names]
        self.data, self.known = datasets.load(dataset).test.sample(examples), {}

    def row(self, label: str, attack, published: tuple) -> dict:
        """One row: published, under `attack`, and what an adaptive attack leaves at its eps."""
        ours = [accuracy(model, self.data, attack) for model in self.models]
        threat = getattr(attack, "threat", None)
        adaptive = self.adaptive(threat.eps) if threat else (None, None)
        values = dict(zip(COLUMNS[2:], (*published, *ours, *adaptive), strict=True))
        return {"data": self.dataset, "attack": label, **values}

    def adaptive(self, eps: float) -> tuple[float, float]:
        """Accuracies of both under the adaptive attack at Linf `eps`."""
        if eps not in self.known:
            self.known[eps] = tuple(
                adaptive_accuracy(model, self.data, Linf(eps)) for model in self.models
            )
        return self.known[eps]


WHO = ("base", "ADP")
COLUMNS = [
    "data",
    "attack",
    *(f"{what} {who}" for what in ("published", "paper's attack", "adaptive") for who in WHO),
]
ITERATIVE = {"BIM": bim, "PGD": PGD, "MIM": MIM}


def budgeted(name: str, eps: float):
    """FGSM, or ten steps of eps / 10."""
    if name == "FGSM":
        return fgsm(Linf(eps))
    return ITERATIVE[name](Linf(eps), eps / 10, steps=10)


def verdict(rows) -> str:
    """One sentence: the gain of ADP under the paper's attacks and under the adaptive one."""
    pairs = [row for row in rows if row.get("adaptive ADP") is not None]

    def gain(what):
        return sum(row[f"{what} ADP"] - row[f"{what} base"] for row in pairs) / len(pairs)

    weak, strong = gain("paper's attack"), gain("adaptive")
    left = max(row["adaptive ADP"] for row in pairs)
    return (
        f"Over the rows with a budget, ADP gains {100 * weak:.1f} points on its baseline under the "
        f"paper's attacks and {100 * strong:.1f} under the adaptive one, "
        f"which leaves it at most {100 * left:.1f} %."
    )
