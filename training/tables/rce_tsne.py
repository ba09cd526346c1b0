"""Features of clean and adversarial images in the plane, on CE and on reverse CE.

Command:  python -m training.tables.rce_tsne
Paper:    Pang et al., 2018, arXiv:1706.00633, figure without numbers; ours stand beside it.
"""

import click
import numpy as np
from sklearn.neighbors import NearestNeighbors

from robustzoo import datasets, zoo
from robustzoo.attacks import bim, generate
from robustzoo.detect import KernelDensity, embedding, pairs
from robustzoo.detect.figures import embedding_figure
from robustzoo.evaluation.predict import predict
from robustzoo.threats import Linf
from training.tables._table import FOLDER, Table

MODELS = ("standard-mnist", "rce-mnist")
EPS = 0.16  # of BIM, as in rce_auc
NEIGHBOURS = 10
COLUMNS = ("model", "clean", "adversarial", "nearest are of the predicted class")


def measure(name: str, examples: int):
    """The row of a model and its panel: points, true classes, whether adversarial."""
    model, test = zoo.load(name), datasets.load("mnist").test.sample(examples)
    images, labels = test.images, test.labels
    adversarial = generate(bim(Linf(EPS), EPS / 10), model, images, labels)
    kept = pairs(model, images, labels, adversarial)
    detector = KernelDensity(model)
    clean, moved = detector.features(images), detector.features(adversarial[kept])
    predicted = predict(model, adversarial[kept])
    search = NearestNeighbors(n_neighbors=NEIGHBOURS).fit(clean)
    _, nearest = search.kneighbors(moved)
    row = {
        "model": name,
        "clean": len(images),
        "adversarial": int(kept.sum()),
        COLUMNS[3]: float(np.mean(labels[nearest] == predicted[:, None])),
    }
    points = embedding(np.concatenate([clean, moved]))
    classes = np.concatenate([labels, labels[kept]])
    return row, (points, classes, np.arange(len(points)) >= len(clean))


@click.command()
@click.option("--examples", default=1000, show_default=True, help="test images")
def main(examples):
    """Writes rce_tsne.png, and rce_tsne.md and rce_tsne.json beside it."""
    facts = {
        "test images": examples,
        "seed": 0,
        "adversarial": f"BIM, eps {EPS}, 10 steps of eps / 10, where it changed the class",
        "features": "what goes into the last Dense layer",
        "points": "t-SNE, perplexity 30, of clean and adversarial together",
    }
    table, panels = Table("rce_tsne", "Features of CE and RCE", COLUMNS, facts), {}
    for name in MODELS:
        row, panels[name] = measure(name, examples)  # the picture is drawn anew, so is the row
        table.row(name, lambda row=row: row, name)
    (FOLDER / "rce_tsne.png").write_bytes(embedding_figure(panels, tuple("0123456789")))
    table.write(
        [
            "![Clean images as dots, adversarial ones as crosses, coloured by their true class]"
            "(rce_tsne.png)",
            f"The last column: of the {NEIGHBOURS} clean images whose features are nearest to "
            "those of an adversarial one, the share of the class that the model takes it for. "
            "At 1, it lies among clean images of that class.",
        ]
    )


if __name__ == "__main__":
    main()
