"""Adversarial training with and without ADP (Pang et al., 2019, arXiv:1901.08846), CIFAR-10.

python -m training.tables.adp_advt --examples 500
"""

import functools

import click

from training.tables._ensembles import ADP, BASE, Ensembles, budgeted, columns, verdict
from training.tables._table import Table, drawn

MODELS = {BASE: "advt-cifar10", ADP: "advt-adp-cifar10"}
# Accuracies of three ResNet-20 trained with FGSM, without and with ADP.
PUBLISHED = [
    ("FGSM", 0.04, 0.393, 0.561),
    ("BIM", 0.02, 0.199, 0.257),
    ("PGD", 0.02, 0.242, 0.267),
    ("MIM", 0.02, 0.245, 0.306),
]


@click.command()
@click.option("--examples", default=500, show_default=True, help="Test images.")
def main(examples):
    """Measures the table and writes it."""
    facts = drawn(examples) | {
        "paper's attack": "FGSM; BIM, PGD, MIM with 10 steps of eps / 10",
        "adaptive": "APGD-CE and APGD-T with nine targets, 100 steps, at the eps of the row",
        "models": list(MODELS.values()),
    }
    title = "Adversarial training with and without ADP"
    table = Table("adp_advt", title, columns(MODELS), facts)
    ensembles, rows = Ensembles("cifar10", MODELS, examples), []
    for name, eps, *published in PUBLISHED:
        label, attack = f"{name} {eps:g}", budgeted(name, eps)
        rows.append(table.row(label, functools.partial(ensembles.row, label, attack, published)))
    table.write(
        [
            verdict(rows),
            "Both are trained with FGSM, eps uniform in 0.01 .. 0.05 per batch; base is without "
            "ADP. Published: three ResNet-20, ours are three ResNet-8.",
        ]
    )


if __name__ == "__main__":
    main()
