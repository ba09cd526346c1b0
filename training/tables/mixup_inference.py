"""Mixup inference (MI): without it, with it, and attacked through it.

    python -m training.tables.mixup_inference --examples 200

About half an hour on two cores.
"""

import functools

import click
import numpy as np

from robustzoo import architectures, datasets, zoo
from robustzoo.attacks import PGD, run
from robustzoo.evaluation.predict import predict
from robustzoo.threats import Linf, parse_eps
from training.tables._table import Table, drawn, not_released

KINDS = {  # samples and shares of the paper
    "": None,
    "MI-PL": {"predicted": 10, "other": 0},
    "MI-OL": {"other": 30},
    "MI-Combined": {"predicted": 5, "other": 15, "other_mixing": 0.4},
}
IAT_KINDS = {"": None, "MI-OL": {"other": 30, "other_mixing": 0.6}}
MODELS = {  # data, eps, step of PGD, and what stands before the model
    "mixup-cifar10": ("cifar10", 8 / 255, 2 / 255, KINDS),
    "mixup-mnist": ("mnist", 0.1, 0.02, KINDS),
    "iat-mnist": ("mnist", 0.3, 0.05, IAT_KINDS),
    "iat-cifar10-resnet18": ("cifar10", 8 / 255, 2 / 255, IAT_KINDS),  # for an accelerator
}
# Clean, PGD-10 and PGD-50 (recalled, low confidence) of a ResNet-50 of three stages.
PUBLISHED = {
    ("mixup-cifar10", ""): (0.938, 0.036, 0.032),
    ("mixup-cifar10", "MI-OL"): (0.839, 0.261, 0.188),
    ("mixup-cifar10", "MI-Combined"): (0.829, 0.337, 0.310),
    ("iat-cifar10-resnet18", ""): (0.897, 0.467, 0.435),
    ("iat-cifar10-resnet18", "MI-OL"): (0.847, 0.645, 0.638),
}
STEPS = (10, 50)
COLUMNS = [
    "model",
    "inference",
    "eps",
    "clean published",
    "clean",
    *(f"PGD-{k} {whose}" for k in STEPS for whose in ("published", "on the base")),
    "PGD-20 through MI",
    "least",
]


@click.command()
@click.option("--examples", default=200, show_default=True, help="Test images.")
@click.option(
    "--only",
    type=click.Choice(list(MODELS)),
    multiple=True,
    help="Measure a part; the run of all writes the table.",
)
def main(examples, only):
    """Measures the table and writes it; our cells are empty where a model is not released."""
    released = MODELS.keys() & zoo.list_models()
    facts = drawn(examples) | {
        "pool": "100 training images of each class",
        "PGD on the base": "the paper's attack: random start, knows nothing of the mixing",
        "PGD-20 through MI": "20 steps of eps / 4, the gradient is that of the mean over fresh "
        "samples (EOT)",
        "least": "of all attacks of the row",
        "models": sorted(released),
    }
    table = Table("mixup_inference", "Mixup inference before, after and through", COLUMNS, facts)
    for name in only or MODELS:
        bench = functools.lru_cache(functools.partial(Bench, name, examples))
        for kind in MODELS[name][3]:
            row = functools.partial(_row, name, kind, bench if name in released else None)
            table.row(f"{name} {kind}", row, name)
    if set(only or MODELS) == set(MODELS):
        table.write(_remarks(table.rows))


class Bench:
    """A base model, its data, and what PGD finds against it alone."""

    def __init__(self, name, examples):
        self.dataset, self.eps, self.step, self.kinds = MODELS[name]
        self.base = zoo.load(name)
        self.data = datasets.load(self.dataset)
        self.sample = self.data.test.sample(examples)

    @functools.lru_cache  # noqa: B019 - a bench lives as long as the process
    def found(self, steps):
        attack = PGD(Linf(self.eps), self.step, steps=steps)
        return run(attack, self.base, self.sample.images, self.sample.labels).images

    def model(self, kind):
        """The base with mixup inference, its pool filled from the training set."""
        arguments = self.kinds[kind]
        if arguments is None:
            return self.base
        model = architectures.mixup_inference(self.base, **arguments)
        train = self.data.train.sample(10_000)
        model.get_layer("pool").adapt(train.images, train.labels)
        return model


def _row(name, kind, bench):
    """Published cells, and those that `bench()` measures where it is not None."""
    published = PUBLISHED.get((name, kind), (None,) * 3)
    row = {"model": name, "inference": kind, "eps": f"{MODELS[name][1]:.3g}"}
    row |= {"clean published": published[0]}
    row |= {f"PGD-{k} published": n for k, n in zip(STEPS, published[1:], strict=True)}
    return row | (_measured(bench(), kind) if bench else {})


def _measured(bench, kind):
    model, images, labels = bench.model(kind), bench.sample.images, bench.sample.labels
    right = predict(model, images) == labels

    def kept(found):
        return float(np.mean(right & (predict(model, found) == labels)))

    through = PGD(Linf(bench.eps), bench.eps / 4, steps=20)
    left = {f"PGD-{k} on the base": kept(bench.found(k)) for k in STEPS}
    left["PGD-20 through MI"] = kept(run(through, model, images, labels, batch_size=32).images)
    return left | {"clean": float(right.mean()), "least": min(left.values())}


def _remarks(rows):
    remarks = [
        "Published numbers are recalled, low confidence; their pool comes from the test set, ours "
        "from the training set.",
    ]
    for row in rows.values():
        seen, through = row.get("PGD-50 on the base"), row.get("PGD-20 through MI")
        if row["inference"] and seen is not None and through < seen:
            remarks.append(
                f"{row['model']} with {row['inference']} keeps {seen:.1%} where the attack does "
                f"not know of it, and {through:.1%} where it does: believe the latter."
            )
        remarks += _of_card(row)
    return [*remarks, *not_released(MODELS)]


def _of_card(row):
    """A sentence where the model's own card tells of stronger attacks than the row."""
    if row["inference"] or "least" not in row:
        return
    card = zoo.info(row["model"])
    same = card["eps"] and parse_eps(card["eps"]) == MODELS[row["model"]][1]
    if same and card["robust"] < row["least"]:
        yield (
            f"{row['model']} without mixing: stronger attacks leave {card['robust']:.1%} at the "
            "same eps, says its card."
        )


if __name__ == "__main__":
    main()
