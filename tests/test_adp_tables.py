"""The tables of ADP and mixup inference: what is judged, and rows of models that are not there."""

import numpy as np
from tiny import tiny_batch, tiny_linear

from robustzoo.attacks import JSMA, CarliniWagner, run
from robustzoo.datasets import Split
from robustzoo.evaluation.predict import predict
from training.tables import adp, adp_advt, mixup_inference
from training.tables._ensembles import ADP, BASE, Ensembles, columns


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
    told = mixup_inference._remarks(rows)
    assert len(told) == 3 and "iat_cifar10_resnet18" in told[-1]
    iat = {"model": "iat-mnist", "inference": "", "least": 0.645}
    rows = {"IAT": iat, "no claim": iat | {"model": "mixup-mnist"}}
    _, told, _ = mixup_inference._remarks(rows)
    assert "leave 0.0% at the same eps" in told


def test_one_strength_of_carlini_and_wagner_is_held_against_the_search_over_it():
    kinds = [f"{kind} {who}" for kind in ("paper's attack", "adaptive") for who in (BASE, ADP)]

    def row(attack, *values, **more):
        return {"data": "mnist", "attack": attack} | dict(zip(kinds, values, strict=True)) | more

    rows = [row("PGD 0.1", 0.5, 0.7, 0.25, 0.25)]
    for name in ("C&W", "EAD"):
        rows += [
            row(f"{name} c 1", 0.9, 0.95, None, None),
            row(f"{name} c 9", 0.1, 0.8, None, None),
        ]
        cells = {f"distance {BASE}": 1.5, f"distance {ADP}": 2.0}
        cells |= {"adaptive base": 0.0, "adaptive ADP": 0.02}
        rows.append({"data": "mnist", "attack": f"{name} searched"} | cells)
    budget, carlini, _ = adp.remarks(rows)
    assert "gains 20.0 points" in budget and "0.0 under the adaptive one" in budget
    assert carlini == (
        "mnist: C&W c 9 leaves 80% with ADP and 10% without; with c searched C&W leaves 2% with "
        "ADP and 0% without, at median distances of 2, 1.5. Believe the latter."
    )


def test_a_search_counts_images_that_were_right_and_measures_those_it_turned():
    ensembles = Ensembles.__new__(Ensembles)
    x, y = tiny_batch(6)
    model = tiny_linear(4)
    y = predict(model, x).astype("int32")
    y[0] = (y[0] + 1) % 4
    ensembles.dataset, ensembles.models = "tiny", {BASE: model}
    ensembles.data = Split((255 * x).astype("uint8"), y)
    row = ensembles.searched("C&W searched", CarliniWagner(searches=6, iterations=60))
    assert row[f"adaptive {BASE}"] == 0.0 and 0.0 < row[f"distance {BASE}"] < 5.0
    row = ensembles.searched(
        "C&W searched", CarliniWagner(searches=1, iterations=1, initial_c=1e-9)
    )
    assert row == {"data": "tiny", "attack": "C&W searched", f"adaptive {BASE}": 5 / 6}
