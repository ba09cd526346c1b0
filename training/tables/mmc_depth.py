"""MMC against softmax cross-entropy as the net gets deeper.

    python -m training.tables.mmc_depth --examples 500

Pang et al., 2020, arXiv:1905.10626. Rows of ours appear with the models: the recipes of the
published nets are for an accelerator.
"""

import functools

import click

from training.tables._prototypes import COLUMNS, FACTS, Models, verdict
from training.tables._table import Table, drawn, not_released

# Data, label, our model, percent published: clean, then PGD-10 tar, un, PGD-50 tar, un at each eps.
ROWS = [
    ("cifar10", "SCE, WRN-10-4", "sce-cifar10", "", "", ""),
    ("cifar10", "MMC, WRN-10-4", "mmc-cifar10", "", "", ""),
    ("cifar10", "SCE, 32", "sce-cifar10-resnet47", "93.6", "<1 3.7 <1 3.6", "<1 2.7 <1 2.9"),
    (
        "cifar10", "MMC, 32", "mmc-cifar10-resnet47", "92.7",
        "48.7 36.0 26.6 24.8", "36.1 25.2 13.4 17.5",
    ),
    ("cifar10", "SCE, 110", "sce-cifar10-resnet164", "94.7", "<1 3.0 <1 2.9", "<1 2.1 <1 2.0"),
    (
        "cifar10", "MMC, 110", "mmc-cifar10-resnet164", "93.6",
        "54.7 46.0 34.4 31.4", "41.0 30.7 16.2 21.6",
    ),
    ("cifar100", "SCE, 32", None, "72.3", "<1 7.8 <1 7.4", "<1 4.8 <1 4.7"),
    ("cifar100", "MMC, 32", None, "71.9", "23.9 23.4 15.1 21.9", "16.4 16.7 8.0 15.7"),
    ("cifar100", "SCE, 110", None, "74.8", "<1 7.5 <1 7.3", "<1 4.7 <1 4.5"),
    ("cifar100", "MMC, 110", None, "73.2", "34.6 22.4 23.7 16.5", "24.1 14.9 13.9 10.5"),
]  # fmt: skip


@click.command()
@click.option("--examples", default=500, show_default=True, help="Test images.")
def main(examples):
    """Measures the table and writes it."""
    models = Models(examples)
    facts = drawn(examples) | FACTS
    facts["models"] = sorted(models.released & {row[2] for row in ROWS})
    table = Table("mmc_depth", "MMC by depth", COLUMNS, facts)
    for dataset, label, name, clean, *published in ROWS:
        for eps, values in zip(("8/255", "16/255"), published, strict=True):
            measure = functools.partial(models.row, dataset, label, name, eps)
            key = f"{dataset} {label} {eps}"
            table.row(key, functools.partial(measure, f"{clean} {values}"), *[name] * bool(name))
    table.write(
        [
            *verdict(table.rows.values()),
            *not_released(row[2] for row in ROWS if row[2]),
            "Of CIFAR-100 there is no model of ours. Where all rows of ours are of one depth, they "
            "say nothing about depth.",
            "Published eps are 8/256 and 16/256. Where an untargeted column exceeds the targeted "
            "one beside it, the untargeted attack was weak, theirs as ours.",
            "The paper calls its bottleneck nets 32 and 110; its code builds 47 and 164 layers.",
            "The paper prints 92.9 and 93.6 without attack for one net, SCE-32 on CIFAR-10.",
        ]
    )


if __name__ == "__main__":
    main()
