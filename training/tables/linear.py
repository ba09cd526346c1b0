"""Linear MNIST 0 against 1: standard, attacked, and trained on the exact worst case.

Command:  python -m training.tables.linear
"""

from functools import cache, partial

import keras
import numpy as np

from robustzoo import datasets
from robustzoo.architectures import linear
from robustzoo.attacks import PGD, generate
from robustzoo.defenses import ExactLinear
from robustzoo.evaluation.predict import predict
from robustzoo.losses import linear_worst_case, margin
from robustzoo.threats import Linf
from training.tables._table import Table

THREAT = Linf(0.2)
COLUMNS = [
    "model",
    "error on",
    "published",
    "ours, sign(w) step of the paper",
    "ours, exact worst case",
    "ours, PGD-40 inside [0, 1]",
]
PUBLISHED = {"standard": (0.0004, 0.845), "robust": (None, 0.025)}  # clean, attacked


def main() -> None:
    data = datasets.load("mnist", classes=(0, 1))
    facts = {"data": f"MNIST test, 0 and 1, {len(data.test)} images", "Linf eps": THREAT.eps}
    facts |= {"training": "10 epochs, SGD, batch 100, learning rate 0.5 of two logits", "seed": 0}
    table = Table("linear", "Linear MNIST 0 against 1: error", COLUMNS, facts)
    for name, threat in (("standard", Linf(0.0)), ("robust", THREAT)):
        trained = cache(partial(train, data, threat))
        clean, attacked = PUBLISHED[name]
        table.row(f"{name}, clean", lambda t=trained, n=name, p=clean: clean_row(n, p, t(), data))
        table.row(
            f"{name}, attacked", lambda t=trained, n=name, p=attacked: attacked_row(n, p, t(), data)
        )
    table.write(
        [
            "The exact worst case is the closed form that the robust model is trained on, over the "
            "whole ball. The model is linear: no attack knows more, and the paper's step reaches "
            "it.",
            "The paper does not clip. An adversary who must stay inside [0, 1] does less: last "
            "column.",
            "The unclipped error of the standard model depends on its random first weights: those "
            "of pixels that are black in every image never move, and count in the step all the "
            "same.",
            "The published numbers are those of the tutorial of Kolter & Madry, 2018, chapter 2.",
        ]
    )


def train(data: datasets.Dataset, threat: Linf) -> keras.Model:
    """A linear model trained against `threat`; eps 0 is standard training."""
    keras.utils.set_random_seed(0)
    model = linear(classes=2)
    defense = ExactLinear(model, threat=threat)
    defense.compile(keras.optimizers.SGD(0.5))
    defense.fit(data.train.images, data.train.labels, batch_size=100, epochs=10, verbose=0)
    return model


def clean_row(name, published, model, data) -> dict:
    """Error on the test images as they are."""
    wrong = predict(model, data.test.images) != data.test.labels
    return {"model": name, "error on": "clean images", "published": published} | dict.fromkeys(
        COLUMNS[3:], float(wrong.mean())
    )


def attacked_row(name, published, model, data) -> dict:
    """Error by the step of the paper, by the closed form, and by PGD, which clips."""
    x, y = data.test.images, data.test.labels
    kernel = model.get_layer("logits").kernel
    w = keras.ops.convert_to_numpy(kernel.value)
    w = (w[:, 1] - w[:, 0]).reshape(1, *x.shape[1:])
    sign = np.where(y, 1.0, -1.0)[:, None, None, None]
    stepped = (x - THREAT.eps * sign * np.sign(w)).astype("float32")
    worst = linear_worst_case(y, model(x), kernel, THREAT)
    inside = generate(PGD(THREAT, 0.02, steps=40), model, x, y)
    errors = [
        predict(model, stepped) != y,
        keras.ops.convert_to_numpy(margin(y, worst)) > 0,
        predict(model, inside) != y,
    ]
    row = {"model": name, "error on": "attacked images", "published": published}
    return row | {c: float(e.mean()) for c, e in zip(COLUMNS[3:], errors, strict=True)}


if __name__ == "__main__":
    main()
