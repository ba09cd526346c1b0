"""What the tables of MMC share: white-box attacks of the paper, and those that know the head."""

import functools

from robustzoo import datasets, zoo
from robustzoo.attacks import APGD, PGD
from robustzoo.evaluation import evaluate
from robustzoo.layers import CenterLogits
from robustzoo.losses import cross_entropy, margin, mmc
from robustzoo.threats import Linf, parse_eps
from training.tables._accuracy import accuracy

ATTACKS = {  # steps, whether targeted; the order of the paper's columns
    "PGD-10 tar": (10, True),
    "PGD-10 un": (10, False),
    "PGD-50 tar": (50, True),
    "PGD-50 un": (50, False),
}
RESTARTS = 5
COLUMNS = [
    "data",
    "model",
    "eps",
    "published clean",
    "clean",
    *(f"published {name}" for name in ATTACKS),
    *(f"paper's {name}" for name in ATTACKS),
    "adaptive",
]
FACTS = {
    "seed": 0,
    "paper's": "PGD with steps of eps / 4 on the loss of the paper's adaptive attack: MMC for MMC, "
    "cross-entropy for the others; targets are random",
    "adaptive": f"worst case of PGD-100 on the distance to the own centre (of nets without "
    f"centres: cross-entropy) and on the margin, {RESTARTS} restarts each, and of APGD-T",
}


class Models:
    """Released models by name, and the test images they are measured on."""

    def __init__(self, examples: int):
        self.examples, self.released = examples, set(zoo.list_models())
        self.load = functools.lru_cache(maxsize=1)(zoo.load)
        self.data = functools.lru_cache(maxsize=2)(self._data)

    def _data(self, dataset):
        return datasets.load(dataset).test.sample(self.examples)

    def row(self, dataset: str, label: str, name: str | None, eps: str, published: str) -> dict:
        """A row of `COLUMNS`; our cells are empty where `name` is not released.

        Args:
            name: of our model.
            eps: of Linf, "8/255".
            published: percent without attack and under `ATTACKS`, as the paper prints them; "" for
                none.
        """
        row = {"data": dataset, "model": label, "eps": eps}
        values = [share(text) for text in published.split()] or [None] * (1 + len(ATTACKS))
        names = ["published clean", *(f"published {attack}" for attack in ATTACKS)]
        row |= dict(zip(names, values, strict=True))
        if name in self.released:
            row |= self._ours(dataset, name, eps)
        return row

    def _ours(self, dataset, name, eps):
        model, data, threat = self.load(name), self.data(dataset), Linf(parse_eps(eps))
        loss = mmc if "mmc" in name else cross_entropy
        row = {"clean": accuracy(model, data)}
        for attack, (steps, targeted) in ATTACKS.items():
            pgd = PGD(threat, threat.eps / 4, steps=steps, loss=loss, targeted=targeted)
            row[f"paper's {attack}"] = accuracy(model, data, pgd)
        return row | {"adaptive": adaptive(model, data, threat)}


def adaptive(model, data, threat) -> float:
    """Accuracy that the attacks of `FACTS["adaptive"]` leave together."""
    centred = any(isinstance(layer, CenterLogits) for layer in model.layers)
    many = functools.partial(PGD, threat, threat.eps / 10, steps=100, restarts=RESTARTS)
    attacks = {
        "PGD-100 own": many(loss=mmc if centred else cross_entropy),
        "PGD-100 margin": many(loss=margin),
        "APGD-T": APGD(threat, targets=min(9, model.output_shape[-1] - 1)),
    }
    return evaluate(model, data, threat, attacks, cascade=True, checks=False).worst_case_accuracy


def verdict(rows) -> list[str]:
    """One sentence per measured row of MMC: what the paper's attack leaves, and the adaptive."""
    return [
        f"{row['model']} on {row['data']} at {row['eps']}: "
        f"{100 * min(row[name] for name in PAPER):.1f} % after the paper's PGD-50 at its best, "
        f"{100 * row['adaptive']:.1f} % after the adaptive attack; believe the lower."
        for row in rows
        if row.get("adaptive") is not None and "MMC" in row["model"]
    ]


PAPER = "paper's PGD-50 tar", "paper's PGD-50 un"


def share(percent):
    """0.487 of "48.7", "< 0.01" of "<1", None of "-"."""
    if percent == "-":
        return None
    if percent.startswith("<"):
        return f"< {float(percent[1:]) / 100:g}"
    return round(float(percent) / 100, 4)
