"""ADP against its baseline (Pang et al., 2019, arXiv:1901.08846): the attack table.

    python -m training.tables.adp --examples 500

Hours on two cores; goes on where it was interrupted.
"""

import dataclasses
import functools

import click
import numpy as np

from robustzoo.attacks import EAD, JSMA, Attack, CarliniWagner
from training.tables._ensembles import ADP, BASE, Ensembles, budgeted, columns, verdict
from training.tables._table import Table, drawn, need

KINDS = {BASE: "ensemble-baseline", "entropy": "adp-entropy", ADP: "adp"}
# Accuracies of three ResNet-20: name, strength; baseline, ADP with alpha 2 and beta 0, and 0.5.
PUBLISHED = {
    "mnist": [
        ("FGSM", 0.1, 0.783, 0.955, 0.963),
        ("FGSM", 0.2, 0.215, 0.506, 0.528),
        ("BIM", 0.1, 0.523, 0.864, 0.885),
        ("BIM", 0.15, 0.122, 0.695, 0.736),
        ("PGD", 0.1, 0.507, 0.734, 0.828),
        ("PGD", 0.15, 0.063, 0.362, 0.410),
        ("MIM", 0.1, 0.583, 0.897, 0.920),
        ("MIM", 0.15, 0.161, 0.733, 0.775),
        ("JSMA", 0.3, 0.840, 0.880, 0.950),
        ("JSMA", 0.6, 0.740, 0.850, 0.910),
        ("C&W", 0.1, 0.916, 0.959, 0.973),
        ("C&W", 1.0, 0.306, 0.750, 0.781),
        ("C&W", 10.0, 0.059, 0.202, 0.238),
        ("EAD", 5.0, 0.298, 0.913, 0.934),
        ("EAD", 10.0, 0.073, 0.874, 0.895),
    ],
    "cifar10": [
        ("FGSM", 0.02, 0.365, 0.574, 0.617),
        ("FGSM", 0.04, 0.194, 0.419, 0.462),
        ("BIM", 0.01, 0.185, 0.440, 0.466),
        ("BIM", 0.02, 0.061, 0.282, 0.310),
        ("PGD", 0.01, 0.234, 0.432, 0.484),
        ("PGD", 0.02, 0.066, 0.268, 0.304),
        ("MIM", 0.01, 0.238, 0.496, 0.521),
        ("MIM", 0.02, 0.074, 0.323, 0.359),
        ("JSMA", 0.05, 0.295, 0.330, 0.435),
        ("JSMA", 0.1, 0.275, 0.320, 0.370),
        ("C&W", 0.001, 0.713, 0.763, 0.806),
        ("C&W", 0.01, 0.452, 0.503, 0.549),
        ("C&W", 0.1, 0.188, 0.192, 0.256),
        ("EAD", 1.0, 0.175, 0.645, 0.673),
        ("EAD", 5.0, 0.024, 0.234, 0.296),
    ],
}
MINIMAL = {"C&W": CarliniWagner, "EAD": EAD}
SEARCHED = {"searches": 6, "iterations": 200, "learning_rate": 0.05, "initial_c": 1.0}
THETA = {"mnist": 0.2, "cifar10": 0.1}  # JSMA's change of a pixel


@dataclasses.dataclass(frozen=True)
class LastState(Attack):
    """JSMA, but for what it returns: where it ended, whether that is its target or not."""

    attack: JSMA

    targeted = True

    @property
    def gradients(self):
        return self.attack.gradients

    def longest(self, x):
        return self.attack.longest(x)

    def begin(self, model, x, y, seed, run):
        return self.attack.begin(model, x, y, seed, run)

    def step(self, model, state, x, y, noise=None):
        new = self.attack.step(model, state, x, y, noise)
        return new | {"best": new["z"]}


@click.command()
@click.option("--examples", default=500, show_default=True, help="Test images.")
def main(examples):
    """Measures the table and writes it."""
    facts = drawn(examples) | {
        "paper's attack": "FGSM; BIM, PGD, MIM with 10 steps of eps / 10; JSMA towards a random "
        "class, judged by the image it ends at, reached or not, as their cleverhans returns it; "
        "C&W and EAD with kappa 0.1, rate 0.01, one value of c, 1,000 iterations",
        "adaptive": "APGD-CE and APGD-T with nine targets, 100 steps, at the eps of the row; in "
        f"the rows searched C&W and EAD with {SEARCHED}, which look for the least c of each image",
        "distance": "median of the images turned, L2 of C&W and L1 of EAD",
        "models": [f"{kind}-{dataset}" for dataset in PUBLISHED for kind in KINDS.values()],
    }
    need(*facts["models"])
    shown = [*columns(KINDS), *(f"distance {who}" for who in KINDS)]
    table, rows = Table("adp", "ADP against its baseline", shown, facts), []
    for dataset in PUBLISHED:
        models = {who: f"{kind}-{dataset}" for who, kind in KINDS.items()}
        ensembles = Ensembles(dataset, models, examples)
        for name, strength, *published in PUBLISHED[dataset]:
            label, attack = attack_of(dataset, name, strength)
            measure = functools.partial(ensembles.row, label, attack, published)
            rows.append(table.row(f"{dataset} {label}", measure, *models.values()))
        for name, kind in MINIMAL.items():
            measure = functools.partial(ensembles.searched, f"{name} searched", kind(**SEARCHED))
            rows.append(table.row(f"{dataset} {name} searched", measure, *models.values()))
    table.write(
        [
            *remarks(rows),
            "entropy: ADP without its diversity, beta 0.",
            "Published: three ResNet-20, 40 epochs on MNIST and 180 on CIFAR-10. Ours are smaller.",
            "JSMA, C&W and EAD have no Linf budget, so there the adaptive columns are empty: see "
            "the rows searched. Where C&W or EAD finds nothing, the clean image is judged.",
        ]
    )


def remarks(rows) -> list[str]:
    """What the numbers say of each data set: within a budget, and of one c beside the best."""
    told = []
    for dataset in dict.fromkeys(row["data"] for row in rows):
        own = [row for row in rows if row["data"] == dataset]
        told.append(f"{dataset}: {verdict(own)}")
        told += [f"{dataset}: {_of_search(own, name)}" for name in MINIMAL]
    return told


def _of_search(rows, name):
    """One sentence: the largest gain of ADP at one c, and what a search over c leaves of it."""
    fixed = [row for row in rows if row["attack"].startswith(f"{name} c ")]
    (searched,) = (row for row in rows if row["attack"] == f"{name} searched")

    def shares(row, kind):
        return f"{row[f'{kind} {ADP}']:.0%} with ADP and {row[f'{kind} {BASE}']:.0%} without"

    kind = "paper's attack"
    row = max(fixed, key=lambda row: row[f"{kind} {ADP}"] - row[f"{kind} {BASE}"])
    far = ", ".join(f"{searched.get(f'distance {who}', np.inf):.3g}" for who in (ADP, BASE))
    return (
        f"{row['attack']} leaves {shares(row, kind)}; with c searched {name} leaves "
        f"{shares(searched, 'adaptive')}, at median distances of {far}. Believe the latter."
    )


def attack_of(dataset: str, name: str, strength: float):
    """Label and attack of a row, as in the paper: eps, share of pixels, or c."""
    if name == "JSMA":
        return f"JSMA gamma {strength:g}", LastState(JSMA(THETA[dataset], strength))
    if name in MINIMAL:
        attack = MINIMAL[name](confidence=0.1, searches=1, iterations=1000, initial_c=strength)
        return f"{name} c {strength:g}", attack
    return f"{name} {strength:g}", budgeted(name, strength)


if __name__ == "__main__":
    main()
