"""The tables of ADP and mixup inference: what is judged, and rows of models that are not there."""

import numpy as np
from tiny import tiny_linear

from robustzoo.attacks import JSMA, run
from robustzoo.evaluation.predict import predict
from training.tables import adp, adp_advt, mixup_inference
from training.tables._ensembles import ADP, BASE, columns


def test_jsma_is_judged_by_the_image_it_ends_at():
    model = tiny_linear(4)
    x = np.random.default_rng(0).uniform(0.2, 0.8, (24, 8, 8, 3)).astype("float32")
    y = ((predict(model, x) + 1 + np.arange(24) % 3) % 4).astype("int32")
    plain = JSMA(theta=0.2, gamma=0.1)  # 9 pairs of 192 features
    found, last = run(plain, model, x, y), run(adp.LastState(plain), model, x, y)
    np.testing.assert_array_equal(last.success, found.success)
    hits, changed = found.success, np.abs(last.images - x).max(axis=(1, 2, 3)) > 0
    assert hits.any() and not hits.all() and changed.all()
    np.testing.assert_array_equal(last.images[hits], found.images[hits])
    np.testing.assert_array_equal(found.images[~hits], x[~hits])
    assert ((last.images != x).sum(axis=(1, 2, 3)) <= 18).all()
    label, attack = adp.attack_of("mnist", "JSMA", 0.3)
    assert label == "JSMA gamma 0.3" and attack == adp.LastState(JSMA(0.2, 0.3))


def test_rows_of_models_that_are_not_released_have_published_cells_alone():
    row = adp_advt._row(None, "PGD", "BIM", 0.02, [0.278, 0.34])
    assert set(row) <= {"trained with", *columns((BASE, ADP))}
    assert (row["attack"], row["published base"], row["published ADP"]) == ("BIM 0.02", 0.278, 0.34)
    row = mixup_inference._row("iat-cifar10-resnet18", "MI-OL", None)
    assert set(row) <= set(mixup_inference.COLUMNS)
    assert (row["clean published"], row["PGD-50 published"]) == (0.847, 0.638)
    assert "clean" not in row
    rows = {"IAT": row, "other": row | {"PGD-50 on the base": 0.6, "PGD-20 through MI": 0.2}}
    assert len(mixup_inference._remarks(rows)) == 2
