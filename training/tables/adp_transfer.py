"""Transfer among the members of an ensemble, with and without ADP (arXiv:1901.08846).

    python -m training.tables.adp_transfer --examples 1000

writes a table, and a picture of each ensemble, `adp_transfer_<model>.png`.
"""

import functools

import click
import numpy as np

from robustzoo import datasets, zoo
from robustzoo.architectures import ensemble_members
from robustzoo.attacks import PGD
from robustzoo.evaluation.figures import matrix_figure
from robustzoo.evaluation.measures import transfer_matrix
from robustzoo.threats import Linf
from training.tables._table import FOLDER, Table, drawn, need

MODELS = {  # data set and the eps of PGD
    "ensemble-baseline-mnist": ("mnist", 0.1),
    "adp-mnist": ("mnist", 0.1),
    "ensemble-baseline-cifar10": ("cifar10", 0.02),
    "adp-cifar10": ("cifar10", 0.02),
}
NAMES = ["member 1", "member 2", "member 3"]


@click.command()
@click.option("--examples", default=1000, show_default=True, help="Test images.")
def main(examples):
    """Measures the table, writes it and draws it."""
    facts = drawn(examples) | {
        "attack": "PGD on one member, 10 steps of eps / 10",
        "a number": "accuracy of the member of its column on all images, each changed by PGD on "
        "the member of its row",
    }
    need(*MODELS)
    columns = ["model", "eps", "attacked", *NAMES]
    table = Table("adp_transfer", "Transfer among the members of an ensemble", columns, facts)
    remarks = []
    for model in MODELS:
        shares = _measured(table, model, examples)
        others = shares[~np.eye(len(NAMES), dtype=bool)]
        remarks.append(
            f"{model}: the attacked member keeps {100 * np.diag(shares).mean():.1f} %, "
            f"the others {100 * others.mean():.1f} %."
        )
        picture = matrix_figure(shares, NAMES, NAMES, "attacked", "judged")
        (FOLDER / f"adp_transfer_{model}.png").write_bytes(picture)
    table.write([*remarks, "The paper shows its transfer as pictures: no numbers to set beside."])


def _measured(table, model, examples):
    """Adds the rows of one ensemble to the table; returns them as a matrix (3, 3)."""
    dataset, eps = MODELS[model]

    @functools.cache
    def matrix():
        data = datasets.load(dataset).test.sample(examples)
        attack = PGD(Linf(eps), eps / 10, steps=10)
        members = dict(zip(NAMES, ensemble_members(zoo.load(model)), strict=True))
        return transfer_matrix(members, data.images, data.labels, attack)

    def measure(i):
        shares = dict(zip(NAMES, map(float, matrix()[i]), strict=True))
        return {"model": model, "eps": eps, "attacked": NAMES[i], **shares}

    rows = [
        table.row(f"{model} {name}", functools.partial(measure, i), model)
        for i, name in enumerate(NAMES)
    ]
    return np.array([[row[name] for name in NAMES] for row in rows])


if __name__ == "__main__":
    main()
