import keras
import numpy as np
import pytest
from tiny import tiny_batch, tiny_classifier, tiny_linear, values

from robustzoo.attacks import PGD, fgsm, generate
from robustzoo.evaluation import evaluate, suite, survivors
from robustzoo.threats import Linf


def classes(model, x):
    return keras.ops.convert_to_numpy(model(x)).argmax(1)


def test_survivors_are_those_of_a_linear_closed_form():
    """Robust at eps exactly where the clean margin exceeds eps |w0 - w1|_1."""
    x = tiny_batch(97)[0] * 0.5 + 0.25
    model = tiny_linear()
    w, b = (keras.ops.convert_to_numpy(v) for v in model.layers[-1].weights)
    y = classes(model, x).astype("int32")
    gap = np.abs(x.reshape(97, -1) @ (w[:, 0] - w[:, 1]) + b[0] - b[1])
    eps = float(np.median(gap) / np.abs(w[:, 0] - w[:, 1]).sum())
    expected = gap > eps * np.abs(w[:, 0] - w[:, 1]).sum()
    near = np.abs(gap / gap[np.argsort(gap)[48]] - 1) < 1e-3
    for attack in (fgsm(Linf(eps)), PGD(Linf(eps), eps / 4, steps=12)):
        robust, gradients = survivors(attack, model, x, y, batch_size=16)
        np.testing.assert_array_equal(robust[~near], expected[~near])
        assert gradients <= 97 * (attack.steps + 1)
        assert gradients < 0.9 * 97 * (attack.steps + 1) or attack.steps == 1


def test_outcome_does_not_depend_on_the_batch_size():
    x, y = tiny_batch(40)
    model = tiny_classifier()
    attack = PGD(Linf(0.02), 0.005, steps=5, restarts=2)
    outcomes = [survivors(attack, model, x, y, batch_size=b)[0] for b in (7, 40, 64)]
    np.testing.assert_array_equal(outcomes[0], outcomes[1])
    np.testing.assert_array_equal(outcomes[0], outcomes[2])


def test_no_weaker_than_the_last_iterate():
    x, _ = tiny_batch(64)
    model = tiny_classifier()
    y = classes(model, x).astype("int32")
    attack = PGD(Linf(0.03), 0.01, steps=6, start="clean")
    robust, _ = survivors(attack, model, x, y)
    assert not (robust & (classes(model, generate(attack, model, x, y)) != y)).any()


def test_report_takes_the_worst_case_per_example():
    x, y = tiny_batch(40)
    model = tiny_classifier()
    before = values(model)
    report = evaluate(model, x, y, Linf(0.02), dataset="mnist")
    rows = np.stack([result.robust for result in report.results])
    np.testing.assert_array_equal(report.robust, rows.all(0))
    assert report.worst_case_accuracy <= min(r.accuracy for r in report.results)
    assert [r.label for r in report.results] == ["clean", "FGSM", "PGD-20", "PGD-40 x 2"]
    record = report.to_dict("command")
    assert record["examples"] == 40 and record["threat"] == {"norm": "linf", "eps": "0.02"}
    assert record["results"][2]["arguments"]["steps"] == 20
    for old, new in zip(before, values(model), strict=True):
        np.testing.assert_array_equal(old, new)


def test_same_seed_same_report():
    x, y = tiny_batch(40)
    model = tiny_classifier()
    first, second = (evaluate(model, x, y, Linf(0.02), seed=3) for _ in range(2))
    np.testing.assert_array_equal(first.robust, second.robust)


def test_a_model_that_is_always_wrong():
    x, y = tiny_batch(8)
    model = tiny_classifier()
    wrong = ((classes(model, x) + 1) % 4).astype("int32")
    assert evaluate(model, x, wrong, Linf(0.02)).worst_case_accuracy == 0


def test_suite_uses_the_step_sizes_of_the_literature():
    assert suite(Linf(8 / 255))["PGD-20"].step_size == pytest.approx(2 / 255)
    assert suite(Linf(0.3))["PGD-40 x 2"].step_size == pytest.approx(0.01)


def test_targeted_attacks_are_refused():
    x, y = tiny_batch(4)
    with pytest.raises(ValueError, match="untargeted"):
        survivors(PGD(Linf(0.1), 0.1, targeted=True), tiny_classifier(), x, y)
