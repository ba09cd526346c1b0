"""LWA under the two surrogates it was published with, and under attacks of many steps, MNIST.

    python -m training.tables.lwa --examples 500

Huang et al., 2015, arXiv:1511.03034. Minutes on two cores; goes on where it was interrupted.
"""

import functools

import click

from robustzoo import datasets, zoo
from robustzoo.attacks import MisclassificationSurrogate, fgsm
from robustzoo.threats import L2
from training.tables._accuracy import accuracy, adaptive_accuracy
from training.tables._table import Table, drawn, need

THREAT = L2(1.5)
# Under Adv_Loss and Adv_Alpha; of lwa-mnist the paper has no such net.
PUBLISHED = {
    "standard-mnist": (None, None),
    "lwa-mnist": (None, None),
    "lwa-mnist-mlp500": (0.867, 0.862),
}
ATTACKS = {"Adv_Loss": fgsm(THREAT), "Adv_Alpha": MisclassificationSurrogate(THREAT)}
COLUMNS = ["model", "clean", *(f"{kind} {a}" for a in ATTACKS for kind in ("published", "ours"))]


@click.command()
@click.option("--examples", default=500, show_default=True, help="Test images.")
def main(examples):
    """Measures the table and writes it."""
    facts = drawn(examples) | {
        "threat": str(THREAT),
        "Adv_Loss": "one step along the gradient of the cross-entropy",
        "Adv_Alpha": "one step to the nearest rival of the linearised softmax",
        "adaptive": "APGD-CE and APGD-T with nine targets, 100 steps",
        "models": list(PUBLISHED),
    }
    need(*PUBLISHED)
    data = datasets.load("mnist").test.sample(examples)
    table = Table("lwa", "LWA under one step and under many", [*COLUMNS, "adaptive"], facts)
    for name in PUBLISHED:
        table.row(name, functools.partial(measured, name, data), name)
    table.write([*verdicts(table.rows.values()), "Published: not clipped to [0, 1]; ours is."])


def measured(name: str, data) -> dict:
    """The row of one model."""
    model = zoo.load(name)
    row = {"model": name, "clean": accuracy(model, data)}
    for (label, attack), published in zip(ATTACKS.items(), PUBLISHED[name], strict=True):
        row |= {f"published {label}": published, f"ours {label}": accuracy(model, data, attack)}
    return row | {"adaptive": adaptive_accuracy(model, data, THREAT)}


def verdicts(rows) -> list[str]:
    """One sentence per model of LWA: what one step leaves, and what many do."""
    return [
        f"{row['model']} keeps {min(row[f'ours {label}'] for label in ATTACKS):.1%} of one step "
        f"and {row['adaptive']:.1%} of a hundred: believe the latter."
        for row in rows
        if row["model"].startswith("lwa")
    ]


if __name__ == "__main__":
    main()
