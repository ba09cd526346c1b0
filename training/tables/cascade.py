"""Cascades of Wong et al., 2018, arXiv:1805.12514, on MNIST: what they claim, what is proved.

    python -m training.tables.cascade

Minutes on two cores.
"""

import functools

import click

from robustzoo import datasets, zoo
from robustzoo.certification import cascade
from robustzoo.threats import Linf, from_config
from robustzoo.zoo.card import read_facts
from robustzoo.zoo.records import parts
from training.tables._table import CARDS, Table, drawn, need

THREAT, DATASET = Linf(0.1), "mnist"
STAGES = ("ibp-mnist-01", "crown-ibp-small-mnist", "wong-kolter-mnist", "cascade-2-mnist")
SAME_NET = "wong-kolter-mnist"  # as the published single model
METHODS = ("ibp", "crown-ibp", "wong-kolter", "crown")
COLUMNS = [
    "model",
    "published error",
    "published robust error",
    "error",
    "certified error",
    "claimed error, not certified",
    "images answered",
]
PUBLISHED = {"single": (0.0126, 0.0448), "cascade": (0.0313, 0.0313)}  # of their small net


@click.command()
@click.option("--examples", default=10_000, show_default=True, help="Test images.")
def main(examples):
    """Measures the table and writes it."""
    facts = drawn(examples) | {"threat": str(THREAT), "methods": ", ".join(METHODS)}
    table = Table("cascade", "A cascade on MNIST: what it claims, what is proved", COLUMNS, facts)
    need(*STAGES)
    report = functools.cache(functools.partial(measured, examples))
    for k, name in enumerate(STAGES):
        table.row(f"stage {k + 1}", lambda k=k, name=name: stage_row(report(), k, name), *STAGES)
    table.row("cascade", lambda: cascade_row(report()), *STAGES)
    table.row("best", best_row)
    proved = {row["model"]: row.get("certified error") for row in table.rows.values()}
    proved = {name: error for name, error in proved.items() if error is not None}
    best = min(proved, key=proved.get)
    table.write(
        [
            "The composed classifier has no certificate: a changed image may lose the certificate "
            "of the stage that answered, and be answered otherwise by the next (Mangal et al., "
            "2023, arXiv:2206.00278). This is so of the published cascade, too, whose robust error "
            "the paper calls certified.",
            f"The least that is proved is an error of {100 * proved[best]:.2f} %, of {best}.",
            "The published cascade is of one small net, that of our wong-kolter-mnist, in up to "
            "six stages, each trained anew for 60 epochs. Ours begins with a larger net, and its "
            "last stage with the weights of the one before.",
        ]
    )


def measured(examples: int):
    """The report of the cascade, which is told."""
    test = datasets.load(DATASET).test.sample(examples)
    models = [zoo.load(name) for name in STAGES]
    report = cascade(models, test.images, test.labels, THREAT, METHODS, cascade=True)
    click.echo(report)
    return report


def stage_row(report, k: int, name: str) -> dict:
    """One model alone, which has a certificate."""
    errors = 1 - report.accuracies[k], 1 - report.certified_accuracies[k]
    row = {"model": name, "images answered": int((report.stage == k).sum())}
    row |= {"error": float(errors[0]), "certified error": float(errors[1])}
    return row | (published("single") if name == SAME_NET else {})


def cascade_row(report) -> dict:
    """All stages together, which have none."""
    row = {"model": "all, one after the other", "error": 1 - report.accuracy}
    row |= {"claimed error, not certified": 1 - report.claimed}
    return row | {"images answered": len(report.labels)} | published("cascade")


def published(kind: str) -> dict:
    """The paper's cells of a row."""
    return dict(zip(COLUMNS[1:3], PUBLISHED[kind], strict=True))


def best_row() -> dict:
    """The released model with the least certified error, by its card, at the same threat."""
    found = {}
    for path in CARDS.glob("*/certificate.json"):
        name = path.parent.name
        for record in parts(read_facts(path.parent, path.name)):
            same = record["dataset"] == DATASET and from_config(record["threat"]) == THREAT
            if same and record["sample_seed"] is None:  # of all test images
                found[name] = {
                    "model": f"{name}, the best single model by its card",
                    "error": 1 - record["accuracy"],
                    "certified error": 1 - record["certified_accuracy"],
                }
    if not found:
        raise FileNotFoundError(f"no card has a certificate of {DATASET} at {THREAT}")
    return min(found.values(), key=lambda row: row["certified error"])


if __name__ == "__main__":
    main()
