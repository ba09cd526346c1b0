"""Adversarial training with and without ADP (Pang et al., 2019, arXiv:1901.08846), CIFAR-10.

python -m training.tables.adp_advt --examples 500
"""

import functools

import click

from robustzoo import zoo
from training.tables._ensembles import ADP, BASE, Ensembles, budgeted, columns, verdict
from training.tables._table import Table, drawn, not_released

MODELS = {  # by the attack of the training
    "FGSM": {BASE: "advt-cifar10", ADP: "advt-adp-cifar10"},
    "PGD": {BASE: "advt-cifar10-resnet20", ADP: "advt-adp-cifar10-resnet20"},
}
# Accuracies of three ResNet-20 trained with each, without and with ADP.
PUBLISHED = {
    "FGSM": [
        ("FGSM", 0.04, 0.393, 0.561),
        ("BIM", 0.02, 0.199, 0.257),
        ("PGD", 0.02, 0.242, 0.267),
        ("MIM", 0.02, 0.245, 0.306),
    ],
    "PGD": [
        ("FGSM", 0.04, 0.432, 0.528),
        ("BIM", 0.02, 0.278, 0.340),
        ("PGD", 0.02, 0.328, 0.362),
        ("MIM", 0.02, 0.327, 0.388),
    ],
}


@click.command()
@click.option("--examples", default=500, show_default=True, help="Test images.")
def main(examples):
    """Measures the table and writes it; our cells are empty where models are not released."""
    released = set(zoo.list_models())
    here = {how: m for how, m in MODELS.items() if released.issuperset(m.values())}
    facts = drawn(examples) | {
        "paper's attack": "FGSM; BIM, PGD, MIM with 10 steps of eps / 10",
        "adaptive": "APGD-CE and APGD-T with nine targets, 100 steps, at the eps of the row",
        "models": [name for models in here.values() for name in models.values()],
    }
    title = "Adversarial training with and without ADP"
    table = Table("adp_advt", title, ["trained with", *columns((BASE, ADP))], facts)
    rows = []
    for trained, claims in PUBLISHED.items():
        models = here.get(trained, {}).values()
        ensembles = here.get(trained) and Ensembles("cifar10", here[trained], examples)
        for name, eps, *published in claims:
            row = functools.partial(_row, ensembles, trained, name, eps, published)
            rows.append(table.row(f"{trained} {name} {eps:g}", row, *models))
    table.write(
        [
            *([verdict(rows)] if here else []),
            *not_released(name for models in MODELS.values() for name in models.values()),
            "Each is trained with the attack of the first column, eps uniform in 0.01 .. 0.05 per "
            "batch; base is without ADP. Published: three ResNet-20; ours trained with FGSM are "
            "three ResNet-8.",
        ]
    )


def _row(ensembles, trained, name, eps, published):
    label = f"{name} {eps:g}"
    if ensembles:
        return {"trained with": trained} | ensembles.row(label, budgeted(name, eps), published)
    cells = {f"published {who}": number for who, number in zip((BASE, ADP), published, strict=True)}
    return {"trained with": trained, "data": "cifar10", "attack": label} | cells


if __name__ == "__main__":
    main()
