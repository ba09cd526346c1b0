"""MMC, its relatives and adversarial training under white-box attack.

    python -m training.tables.mmc_whitebox --examples 500

Pang et al., 2020, arXiv:1905.10626, on CIFAR-10; our MNIST models have no published row. Hours on
two cores; goes on where it was interrupted.
"""

import functools

import click

from training.tables._prototypes import COLUMNS, FACTS, Models, verdict
from training.tables._table import Table, not_released

NET = "cifar10-resnet47"  # the published one, for an accelerator
# Label, our model, percent published: clean, then PGD-10 tar, un, PGD-50 tar, un at each eps.
CIFAR10 = [
    ("SCE", "sce-cifar10", "92.9", "<1 3.7 <1 3.6", "<1 2.9 <1 2.6"),
    ("Centre loss", f"center-loss-{NET}", "92.8", "<1 4.4 <1 4.3", "<1 3.1 <1 2.9"),
    ("MM-LDA", f"mmlda-{NET}", "92.4", "<1 16.5 <1 9.7", "<1 6.7 <1 5.5"),
    ("L-GM", f"lgm-{NET}", "92.5", "37.6 19.8 8.9 4.9", "26.0 11.0 2.5 2.8"),
    ("MMC rand", f"mmc-rand-{NET}", "92.3", "43.5 29.2 20.9 18.4", "31.3 17.9 8.6 11.6"),
    ("MMC", "mmc-cifar10", "92.7", "48.7 36.0 26.6 24.8", "36.1 25.2 13.4 17.5"),
    (
        "AT targeted, SCE",
        f"at-sce-targeted-{NET}",
        "83.7",
        "70.6 49.7 69.8 47.8",
        "48.4 26.7 31.2 16.0",
    ),
    (
        "AT targeted, MMC",
        f"at-mmc-targeted-{NET}",
        "83.0",
        "69.2 54.8 67.0 53.5",
        "58.6 47.3 44.7 45.1",
    ),
    ("AT, SCE", "fast-at-cifar10", "80.9", "69.8 55.4 69.4 53.9", "53.3 34.1 38.5 21.5"),
    ("AT, MMC", "at-mmc-cifar10", "81.8", "70.8 56.3 70.1 55.0", "54.7 37.4 39.9 27.7"),
]
MNIST = [
    ("SCE", "standard-mnist"),
    ("Centre loss", "center-loss-mnist"),
    ("MM-LDA", "mmlda-mnist"),
    ("L-GM", "lgm-mnist"),
    ("MMC rand", "mmc-rand-mnist"),
    ("MMC", "mmc-mnist"),
    ("AT, SCE", "art-mnist"),
    ("AT, MMC", "at-mmc-mnist"),
]


@click.command()
@click.option("--examples", default=500, show_default=True, help="Test images of each data set.")
def main(examples):
    """Measures the table and writes it."""
    models = Models(examples)
    facts = {"images": f"{examples} of each test set, drawn with seed 0", **FACTS}
    facts["models"] = sorted(models.released & {row[1] for row in (*CIFAR10, *MNIST)})
    table = Table("mmc_whitebox", "MMC under white-box attack", COLUMNS, facts)
    for label, name, clean, *published in CIFAR10:
        for eps, values in zip(("8/255", "16/255"), published, strict=True):
            measure = functools.partial(models.row, "cifar10", label, name, eps)
            table.row(f"{label} {eps}", functools.partial(measure, f"{clean} {values}"), name)
    for label, name in MNIST:
        for eps in ("0.1", "0.3"):
            measure = functools.partial(models.row, "mnist", label, name, eps, "")
            table.row(f"mnist {label} {eps}", measure, name)
    table.write(
        [
            *verdict(table.rows.values()),
            *not_released(row[1] for row in (*CIFAR10, *MNIST)),
            "Published: a ResNet v2 of 47 layers, 200 epochs, eps 8/256 and 16/256. Ours on "
            "CIFAR-10 is a WRN-10-4 with a stem of stride 2, under AT a pre-activation ResNet-10 "
            "with the same stem, on MNIST the SmallCNN; models named resnet47 have the published "
            "net. AT, SCE is fast_at_cifar10, from whose weights AT, MMC starts.",
            "Where a published untargeted column exceeds the targeted one beside it, the "
            "untargeted attack was weak.",
        ]
    )


if __name__ == "__main__":
    main()
