import dataclasses
import functools
import json
import sys
import warnings

import keras
import numpy as np
import pytest
from tiny import numpy, tiny_batch, tiny_classifier, tiny_linear, values

from robustzoo.architectures import ensemble, mixup_inference
from robustzoo.attacks import (
    APGD,
    FAB,
    MIM,
    PGD,
    CarliniWagner,
    DeepFool,
    Noise,
    Spatial,
    Square,
    Transfer,
    bim,
    fgsm,
    generate,
    run,
)
from robustzoo.certification import certify
from robustzoo.datasets import Dataset
from robustzoo.defenses import MadryTraining
from robustzoo.detect import Confidence, abstaining
from robustzoo.evaluation import (
    CASCADES,
    SUITES,
    Finding,
    Report,
    attack_loss,
    evaluate,
    lower_precision,
    suite,
)
from robustzoo.evaluation.describe import describe
from robustzoo.evaluation.fully_described import fully_described
from robustzoo.evaluation.measures import eps_curve
from robustzoo.evaluation.report import interval
from robustzoo.evaluation.tables import accuracy_tables
from robustzoo.forward import forward
from robustzoo.layers import Noise as NoiseLayer
from robustzoo.losses import dlr, margin, mmc, reverse_cross_entropy, tempered_cross_entropy
from robustzoo.threats import L1, L2, Linf

MODULE = sys.modules[evaluate.__module__]  # the package has a function of that name
LIGHT = {"checks": False}  # what a test does not look at need not run


def classes(model, x):
    return keras.ops.convert_to_numpy(model(x)).argmax(1)


@pytest.fixture(scope="module")
def model():
    return tiny_classifier()


@pytest.fixture(scope="module")
def data(model):
    x, _ = tiny_batch(40)
    return x, classes(model, x).astype("int32")


@pytest.fixture(scope="module")
def threat(model, data):
    """At which about half of the images can be broken."""
    report = evaluate(model, data, Linf(1.0), {"DeepFool": DeepFool(Linf, classes=4)}, **LIGHT)
    return Linf(1.05 * float(np.median(report.results[1].found)))


def pgd(threat, **options):
    return PGD(threat, threat.eps / 4, **options)


def linear_margins():
    """A model of two classes, data, clean margins, and |w0 - w1|_1."""
    x = tiny_batch(97)[0] * 0.5 + 0.25
    model = tiny_linear()
    w, b = (keras.ops.convert_to_numpy(v) for v in model.layers[-1].weights)
    y = classes(model, x).astype("int32")
    gap = np.abs(x.reshape(97, -1) @ (w[:, 0] - w[:, 1]) + b[0] - b[1])
    return model, (x, y), gap, np.abs(w[:, 0] - w[:, 1]).sum()


def test_survivors_are_those_of_a_linear_closed_form():
    """Robust at eps exactly where the clean margin exceeds eps |w0 - w1|_1."""
    model, (x, y), gap, length = linear_margins()
    eps = float(np.median(gap) / length)
    expected = gap > eps * length
    near = np.abs(gap / gap[np.argsort(gap)[48]] - 1) < 1e-3
    attacks = {"FGSM": fgsm(Linf(eps)), "PGD": PGD(Linf(eps), eps / 4, steps=12)}
    report = evaluate(model, (x, y), Linf(eps), attacks, batch_size=16, **LIGHT)
    for result, steps in zip(report.results[1:], (1, 12), strict=True):
        np.testing.assert_array_equal(result.robust[~near], expected[~near])
        assert result.gradients <= 97 * (steps + 1)
        assert result.gradients < 0.9 * 97 * (steps + 1) or steps == 1


def abstaining_linear():
    """A model of two classes that rejects margins below the lower third, data, and margins."""
    model, data, gap, length = linear_margins()
    least = float(np.sort(gap)[32] + np.sort(gap)[33]) / 2
    return abstaining(Confidence(model), least), data, gap, least, length


def test_what_a_model_rejects_is_an_error_alone_and_withstood_under_attack():
    """Accepted are margins of at least t: robust is m >= t with m - eps |w0 - w1|_1 > -t."""
    model, data, gap, least, length = abstaining_linear()
    eps = float(np.median(gap) + least) / length
    report = evaluate(model, data, Linf(eps), batch_size=16)
    assert [result.label for result in report.results] == [
        "clean", "PGD-40 class", "PGD-100 evasion x 2", "BIM-100 evasion"
    ]  # fmt: skip
    np.testing.assert_array_equal(report.results[0].robust, gap >= least)
    assert report.rejected == pytest.approx(33 / 97, abs=1e-6) and report.findings == ()
    expected = (gap >= least) & (gap - eps * length > -least)
    near = np.abs(gap / (eps * length - least) - 1) < 1e-3
    np.testing.assert_array_equal(report.robust[~near], expected[~near])
    assert report.to_dict("")["rejected"] == report.rejected


def test_an_example_that_is_rejected_breaks_nothing_whatever_found_it():
    """All images moved by a little more than most margins: they are wrong, and few are accepted."""
    model, (x, y), gap, least, length = abstaining_linear()
    w = keras.ops.convert_to_numpy(model.layers[-3].weights[0])
    toward = np.sign(w[:, 1] - w[:, 0]).reshape(x.shape[1:])
    eps = float(np.median(gap)) / length

    def moved(model, images, labels, seed=0):
        signs = keras.ops.cast(1 - 2 * labels, "float32")[:, None, None, None]
        return images + keras.ops.cast(eps * toward, "float32") * signs

    robust = evaluate(model, (x, y), Linf(eps), {"moved": moved}, **LIGHT).results[1].robust
    after = gap - eps * length
    near = np.abs(after + least) < 1e-3 * least
    np.testing.assert_array_equal(robust[~near], ((gap >= least) & (after > -least))[~near])
    assert ((after < 0) & robust).any()


def test_attacks_that_do_not_know_of_rejection_are_told():
    """Also of a model whose last part abstains; a rejection is no label."""
    model, (x, y), *_ = abstaining_linear()
    attacks = {"FGSM": fgsm(Linf(0.1))}
    for each in (model, keras.Sequential([keras.Input(x.shape[1:]), model])):
        report = evaluate(each, (x, y), Linf(0.1), attacks)
        assert [found.name for found in report.findings] == ["no attack knows the rejection"]
        assert report.rejected > 0
        (table,) = (t for t in accuracy_tables({"it": report}, "") if t.name == "accuracy")
        assert "found nothing wrong" not in table.caption
    with pytest.raises(ValueError, match="and 2 is the model's rejection"):
        evaluate(model, (x, y + 1), Linf(0.1), attacks)


def test_a_model_that_abstains_is_not_attacked_in_fewer_bits():
    model, data, *_ = abstaining_linear()
    with pytest.raises(ValueError, match="attacked in float32. Received: 'bfloat16'"):
        evaluate(model, data, Linf(0.1), precision="bfloat16")
    with pytest.raises(ValueError, match="'evasion' needs a threat Linf or L2"):
        evaluate(model, data, L1(1.0))


def test_no_weaker_than_the_last_iterate(model, data, threat):
    attack = bim(threat, threat.eps / 3, steps=6)
    robust = evaluate(model, data, threat, {"BIM": attack}, **LIGHT).robust
    assert 0 < robust.sum() < len(robust)
    assert not (robust & (classes(model, generate(attack, model, *data)) != data[1])).any()


def test_report_takes_the_worst_case_per_example():
    x, y = tiny_batch(40)
    model = tiny_classifier()
    before = values(model)
    report = evaluate(model, (x, y), Linf(0.02), dataset="mnist", **LIGHT)
    rows = np.stack([result.robust for result in report.results])
    np.testing.assert_array_equal(report.robust, rows.all(0))
    assert report.worst_case_accuracy <= min(r.accuracy for r in report.results)
    assert [r.label for r in report.results] == [
        "clean", "FGSM", "PGD-20", "PGD-20 margin", "PGD-40 x 2"
    ]  # fmt: skip
    record = report.to_dict("command")
    assert record["examples"] == 40 and record["threat"] == {"norm": "linf", "eps": "0.02"}
    assert record["results"][2]["arguments"]["steps"] == 20
    for old, new in zip(before, values(model), strict=True):
        np.testing.assert_array_equal(old, new)


def test_report_as_text(model, data, threat):
    report = evaluate(model, data, threat, {"FGSM": fgsm(threat)}, **LIGHT)
    first, clean, attacked, checked = str(report).split("\n")
    low, high = report.to_dict("")["interval"]
    assert first == (
        f"worst case {report.robust.mean():.2%} of 40 images within {threat}, "
        f"{low:.2%} to {high:.2%} with 95% confidence"
    )
    assert clean == f"  clean: {report.results[0].accuracy:.2%}"
    assert attacked == f"  FGSM: {report.results[1].accuracy:.2%}"
    assert checked == "not checked"
    assert "the checks found nothing wrong" in str(dataclasses.replace(report, findings=()))
    doubt = Finding("zero gradients", "of 3 images.", 3.0)
    assert str(dataclasses.replace(report, findings=(doubt,))).endswith(
        "\ndoubtful: zero gradients: of 3 images."
    )


def test_same_seed_same_report():
    x, y = tiny_batch(40)
    model = tiny_classifier()
    first, second = (evaluate(model, (x, y), Linf(0.02), seed=3, **LIGHT) for _ in range(2))
    np.testing.assert_array_equal(first.robust, second.robust)


def test_a_model_that_is_always_wrong():
    x, y = tiny_batch(8)
    model = tiny_classifier()
    wrong = ((classes(model, x) + 1) % 4).astype("int32")
    assert evaluate(model, (x, wrong), Linf(0.02), **LIGHT).worst_case_accuracy == 0


def test_a_minimal_attack_counts_only_within_the_threat(model, data):
    """DeepFool finds something for every image; what lies farther than eps breaks nothing."""
    attack = DeepFool(L2, classes=4)
    results = [
        evaluate(model, data, L2(eps), {"DeepFool": attack}, **LIGHT).results[1]
        for eps in (1e-4, 0.2, 10.0)
    ]
    assert results[0].robust.all() and not results[2].robust.any()
    np.testing.assert_array_equal(results[1].robust, results[1].distance > 0.2 + 1e-6)
    assert len(results[1].found) == len(data[1])
    entry = evaluate(model, data, L2(0.2), {"DeepFool": attack}, **LIGHT).to_dict("")["results"][1]
    for name in ("median", "mean"):
        expected = getattr(np, name)(results[1].found)
        assert entry[f"{name}_distance"] == pytest.approx(expected, abs=1e-5)
    assert entry["mean_distance"] != pytest.approx(entry["median_distance"], rel=1e-3)


def test_autoattack_of_l1(model, data):
    """On a small net it leaves no more than APGD in one ball does."""
    threat = L1(6.0)
    attacks = suite(threat, "autoattack", classes=4)
    attacks["Square"] = dataclasses.replace(attacks["Square"], steps=50)
    report = evaluate(model, data, threat, attacks, cascade=True, **LIGHT)
    assert 0 < report.robust.mean() < report.results[0].accuracy
    alone = evaluate(model, data, threat, {"APGD": APGD(threat, targets=3)}, **LIGHT)
    assert report.worst_case_accuracy <= alone.worst_case_accuracy


def test_a_cascade_spares_what_is_broken(model, data, threat):
    attacks = {"PGD": pgd(threat), "again": pgd(threat, steps=20)}
    report = evaluate(model, data, threat, attacks, cascade=True, **LIGHT)
    first, second = report.results[1:]
    assert 0 < first.robust.sum() < len(data[1])
    np.testing.assert_array_equal(np.isnan(second.distance), ~first.robust)
    assert not (second.robust & ~first.robust).any()
    assert report.broken_by.count("PGD") == (~first.robust).sum()


def test_goes_on_after_an_interruption(model, data, threat, tmp_path, monkeypatch):
    """The second call finds the finished attack in the journal, and ends as if undisturbed."""
    attacks = {"FGSM": fgsm(threat), "PGD": pgd(threat)}
    options = {"threat": threat, "attacks": attacks, "journal": tmp_path, **LIGHT}
    whole = evaluate(model, data, **options)
    assert not list(tmp_path.iterdir())
    ran = []

    def failing(attack, *arguments):
        ran.append(attack)
        if len(ran) == 2:
            raise KeyboardInterrupt
        return run(attack, *arguments)

    monkeypatch.setattr(MODULE, "run", failing)
    with pytest.raises(KeyboardInterrupt):
        evaluate(model, data, **options)
    assert len(list(tmp_path.iterdir())) == 1
    resumed = evaluate(model, data, **options)
    assert ran == [attacks["FGSM"], attacks["PGD"], attacks["PGD"]]
    np.testing.assert_array_equal(resumed.robust, whole.robust)
    assert resumed.results[1].gradients == whole.results[1].gradients


def interrupted(result):
    if result.label == "FGSM":
        raise KeyboardInterrupt


def test_a_journal_is_of_one_model_though_weights_are_shared(model, data, threat, tmp_path):
    """What another temperature, say, left behind is not taken for this model's."""
    scaled = keras.Sequential([model, keras.layers.Rescaling(0.5)])
    options = {"threat": threat, "attacks": {"FGSM": fgsm(threat)}, **LIGHT}

    for each in (model, scaled):
        with pytest.raises(KeyboardInterrupt):
            evaluate(each, data, journal=tmp_path, tell=interrupted, **options)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    "changed",
    [
        {"threat": Linf(1.0)},
        {"cascade": False},
        {"seed": 1},
        {"precision": "bfloat16"},
        {"certificate": "crown-ibp"},
        {"data": slice(9)},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_journal_is_of_one_evaluation(model, data, threat, tmp_path, changed):
    """What only it decides, beside the attacks, tells it from others."""
    small = dataclasses.replace(threat, eps=threat.eps / 3)
    given = {"threat": small, "cascade": True, "data": data, **LIGHT}
    attacks, other = {"FGSM": fgsm(small)}, dict(changed)
    if "data" in changed:
        other["data"] = tuple(part[changed["data"]] for part in data)
    if "certificate" in changed:
        other["certificate"] = certify(model, *data, small, changed["certificate"])
        assert 0 < other["certificate"].certified.mean() < 1
    for each in (given, given | other):
        with pytest.raises(KeyboardInterrupt):
            evaluate(model, attacks=attacks, journal=tmp_path, tell=interrupted, **each)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_journal_is_of_one_set_of_versions(model, data, threat, tmp_path, monkeypatch):
    """What another Keras began is not gone on with."""
    options = {"threat": threat, "attacks": {"FGSM": fgsm(threat)}, **LIGHT}
    for version in ("3.15.1", "3.16.0", "3.15.1"):
        monkeypatch.setattr(
            sys.modules["robustzoo.journal"], "versions", lambda v=version: {"keras": v}
        )
        with pytest.raises(KeyboardInterrupt):
            evaluate(model, data, journal=tmp_path, tell=interrupted, **options)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    "wrap",
    [lambda z: lambda *_: z, lambda z: PGD(Linf(0.1), 0.1, loss=lambda y, logits: logits[:, 0])],
)
def test_a_journal_is_not_kept_of_attacks_that_have_but_a_name(model, data, threat, tmp_path, wrap):
    """Two closures of one name may do different things."""

    attacks = {"mine": wrap(data[0]), "FGSM": fgsm(threat)}
    options = {"threat": threat, "attacks": attacks, "journal": tmp_path, **LIGHT}

    def stop(result):
        if result.label == "mine":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(model, data, tell=stop, **options)
    assert not list(tmp_path.iterdir())


def test_a_journal_is_not_kept_of_what_others_wrote(model, data, threat, tmp_path):
    """Somebody's loss may be mended before the evaluation goes on, under the same name."""
    assert fully_described(pgd(threat)) and fully_described(pgd(threat, loss=margin))
    assert not fully_described(pgd(threat, loss=classes))
    assert not fully_described(functools.partial(margin, classes))
    assert not fully_described(str.join)


def test_a_journal_that_cannot_be_written_is_no_reason_to_stop(model, data, threat, tmp_path):
    (tmp_path / "file").write_text("")
    options = {"threat": threat, "attacks": {"FGSM": fgsm(threat)}, **LIGHT}
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        report = evaluate(model, data, journal=tmp_path / "file" / "folder", **options)
    assert any("an interruption would lose" in str(warning.message) for warning in told)
    np.testing.assert_array_equal(report.robust, evaluate(model, data, **options).robust)


def test_blocks_change_nothing_for_an_attack_without_noise(model, data, threat, monkeypatch):
    attacks = {"BIM": bim(threat, threat.eps / 4)}
    whole = evaluate(model, data, threat, attacks, **LIGHT)
    monkeypatch.setattr(MODULE, "BLOCK", 13)
    parts = evaluate(model, data, threat, attacks, **LIGHT)
    np.testing.assert_array_equal(whole.robust, parts.robust)


def test_report_as_json(model, data, threat, tmp_path):
    attacks = {"PGD": pgd(threat), "DeepFool": DeepFool(L2, classes=4)}
    report = evaluate(model, data, threat, attacks, cascade=True)
    report.save(tmp_path / "report.json")
    again = Report.read(tmp_path / "report.json")
    for old, new in zip(report.results, again.results, strict=True):
        np.testing.assert_array_equal(old.robust, new.robust)
        np.testing.assert_allclose(old.distance, new.distance, rtol=1e-5)
    assert (again.threat, again.findings, again.data) == (
        report.threat,
        report.findings,
        report.data,
    )


def test_what_is_no_report_is_said_to_be_none(model, data, threat, tmp_path):
    evaluate(model, data, threat, {"FGSM": fgsm(threat)}, **LIGHT).save(tmp_path / "report.json")
    content = json.loads((tmp_path / "report.json").read_text())
    clean, attacked = content["results"]
    for broken in (
        {"results": []},
        [],
        content | {"results": []},
        content | {"results": [clean | {"robust": [40]}]},  # of 40 examples the last is 39
        content | {"results": [clean | {"distance": ["far"] * 40}]},
        content | {"results": [clean, attacked | {"robust": [], "distance": []}]},
        content | {"threat": "linf"},
        content | {"threat": {"norm": "l7", "eps": "0.1"}},
    ):
        (tmp_path / "other.json").write_text(json.dumps(broken))
        with pytest.raises(ValueError, match="other.json is not a report"):
            Report.read(tmp_path / "other.json")


def test_merge_joins_what_belongs_together(model, data, threat):
    first = evaluate(model, data, threat, {"FGSM": fgsm(threat)}, **LIGHT)
    second = evaluate(model, data, threat, {"PGD": pgd(threat)}, **LIGHT)
    merged = first.merge(second)
    assert [result.label for result in merged.results] == ["clean", "FGSM", "PGD"]
    np.testing.assert_array_equal(merged.robust, first.robust & second.robust)
    with pytest.raises(ValueError, match="labelled 'FGSM'"):
        merged.merge(first)
    assert merged.findings is None
    other = evaluate(model, (data[0][:9], data[1][:9]), threat, {}, **LIGHT)
    with pytest.raises(ValueError, match="another data"):
        first.merge(other)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("model", "0" * 64),
        ("data", "0" * 64),
        ("threat", Linf(0.5)),
        ("precision", "bfloat16"),
        ("proved", {"methods": ["ibp"]}),
    ],
)
def test_merge_refuses_what_does_not_belong_together(model, data, threat, name, value):
    report = evaluate(model, data, threat, {}, **LIGHT)
    with pytest.raises(ValueError, match=f"reports of another {name} cannot be merged"):
        report.merge(dataclasses.replace(report, **{name: value}))


def test_a_computed_eps_is_the_one_that_a_file_says(model, data, tmp_path):
    """.1 + .2 - .1 is not .2, and is written 51/255; so of a certificate."""
    threat = Linf(0.1 + 0.2 - 0.1)
    report = evaluate(model, data, threat, {"FGSM": fgsm(threat)}, **LIGHT)
    report.save(tmp_path / "report.json")
    saved = Report.read(tmp_path / "report.json")
    assert saved.threat.eps != threat.eps
    more = evaluate(model, data, threat, {"PGD": pgd(threat)}, **LIGHT)
    assert len(saved.merge(more).results) == 3
    proof = certify(model, *data, Linf(0.2), "ibp")
    evaluate(model, data, threat, {}, certificate=proof, cascade=True, **LIGHT)


def test_merge_checks_all_results_together():
    """Neither report alone can tell that the black box beats the white one."""
    model, x, y = tiny_linear(4), *tiny_batch(40)
    model.layers[-1].bias.assign(-keras.ops.convert_to_numpy(model(x)).mean(0))
    y = classes(model, x).astype("int32")
    weak, strong = {"FGSM": fgsm(Linf(1e-6))}, {"Square": Square(Linf(0.3), steps=40)}
    reports = [
        evaluate(model, (x, y), Linf(0.3), attacks, seed=seed)
        for seed, attacks in enumerate((weak, strong))
    ]
    told = [[finding.name for finding in report.findings] for report in reports]
    assert told == [["outputs alone break more"], []]
    seen = Finding("random outputs", "text", 0.1), Finding("random outputs", "text", 0.2)
    reports = [
        dataclasses.replace(report, findings=(finding,))
        for report, finding in zip(reports, seen, strict=True)
    ]
    merged = reports[0].merge(reports[1])
    assert [f.name for f in merged.findings] == ["random outputs", "black box beats white box"]
    assert merged.findings[0] == seen[0]
    assert [entry["seed"] for entry in merged.to_dict("")["results"]] == [0, 0, 1]
    unchecked = dataclasses.replace(reports[1], findings=None)
    assert reports[0].merge(unchecked).findings is None
    assert unchecked.merge(reports[0]).findings is None


def test_reads_reports_without_a_seed_for_each_result(model, data, threat, tmp_path):
    report = evaluate(model, data, threat, {"FGSM": fgsm(threat)}, seed=5, **LIGHT)
    report.save(tmp_path / "report.json")
    content = json.loads((tmp_path / "report.json").read_text())
    for result in content["results"]:
        assert result.pop("seed") == 5
    (tmp_path / "report.json").write_text(json.dumps(content))
    assert [r.seed for r in Report.read(tmp_path / "report.json").results] == [5, 5]


def test_interval_is_wilsons():
    """n = 100, k = 90: the textbook's 0.8256 to 0.9448."""
    assert interval(np.arange(100) < 90) == pytest.approx((0.8256, 0.9448), abs=1e-4)


def test_bfloat16_only_searches(model, data, threat):
    """Whatever it finds fools the float32 model too."""
    attacks = {"PGD": pgd(threat)}
    exact = evaluate(model, data, threat, attacks, **LIGHT)
    rough = evaluate(model, data, threat, attacks, precision="bfloat16", **LIGHT)
    assert abs(exact.robust.sum() - rough.robust.sum()) <= 2
    low = lower_precision(model, "bfloat16")
    assert low.layers[0].compute_dtype == "bfloat16" and low.layers[-1].compute_dtype == "float32"
    with pytest.raises(ValueError, match="Received: 'int8'"):
        lower_precision(model, "int8")


def test_bfloat16_keeps_an_adapted_normalization(data):
    images, _ = data
    norm = keras.layers.Normalization()
    norm.adapt(images)
    parts = [keras.Input(images.shape[1:]), norm, keras.layers.Flatten(), keras.layers.Dense(4)]
    model = keras.Sequential(parts)
    low = lower_precision(model, "bfloat16")
    np.testing.assert_allclose(numpy(low(images)), numpy(model(images)), atol=0.05)


def test_bfloat16_of_models_in_models_and_of_operations(data):
    """As ensembles and mixup inference are made of."""
    members = [tiny_classifier(seed=seed) for seed in range(2)]
    for whole in (ensemble(members), mixup_inference(members[0])):
        low = lower_precision(whole, "bfloat16")
        parts = [each for layer in low.layers for each in getattr(layer, "layers", [layer])]
        assert "bfloat16" in {getattr(part, "compute_dtype", None) for part in parts}
        difference = np.abs(forward(low, data[0]) - forward(whole, data[0])).max()
        assert 0 < difference < 0.1


def test_float32_repeats_no_search_whose_find_would_not_count(model, data):
    """FAB finds the boundary everywhere; half of what bfloat16 finds is not over it in float32."""
    attacks, threat = {"FAB": FAB(Linf(1e-4), steps=5, targets=1)}, Linf(1e-4)
    options = dict(precision="bfloat16", **LIGHT)
    report = evaluate(model, data, threat, attacks, cascade=True, **options)
    left = report.results[1]
    assert left.gradients == 5 * report.results[0].robust.sum() and left.robust.any()
    assert evaluate(model, data, threat, attacks, **options).results[1].gradients > left.gradients


def test_checks_speak_in_the_report():
    """A model whose gradient vanishes is not robust: that nothing broke it is no praise."""
    model = tiny_classifier()
    x, _ = tiny_batch(40)
    y = classes(model, x).astype("int32")
    steps = keras.layers.Lambda(lambda x: keras.ops.round(x * 7.0) / 7.0)
    masked = keras.Sequential([keras.Input((8, 8, 3)), steps, *model.layers])
    correct = classes(masked, x) == y
    attacks = {"PGD": PGD(Linf(0.05), 0.01), "noise": Noise(Linf(0.05), steps=50)}
    report = evaluate(masked, (x[correct], y[correct]), Linf(0.05), attacks)
    assert any("gradient" in finding.name for finding in report.findings)
    assert all(isinstance(finding, Finding) for finding in report.findings)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (None, "outputs alone break more"),
        ("Square", "black box beats white box"),
        ("Transfer", "transfer beats white box"),
    ],
)
def test_rounded_pixels_are_found_out_by_what_needs_no_gradient(kind, name):
    linear, x = tiny_linear(4), tiny_batch(40)[0]
    linear.layers[-1].bias.assign(-keras.ops.convert_to_numpy(linear(x)).mean(0))
    steps = keras.layers.Lambda(lambda x: keras.ops.round(x * 15.0) / 15.0)
    masked = keras.Sequential([keras.Input((8, 8, 3)), steps, *linear.layers])
    threat = Linf(0.1)
    others = {"Square": Square(threat, steps=200), "Transfer": Transfer(linear, pgd(threat))}
    attacks = {"PGD": pgd(threat)} | ({kind: others[kind]} if kind else {})
    report = evaluate(masked, (x, classes(masked, x).astype("int32")), threat, attacks)
    assert name in [finding.name for finding in report.findings]


def test_no_false_alarm_on_honest_noise():
    """Attacks that average know of the noise; what it does to single outcomes is no finding."""
    linear, x = tiny_linear(4), tiny_batch(100)[0]
    linear.layers[-1].bias.assign(-keras.ops.convert_to_numpy(linear(x)).mean(0))
    y = classes(linear, x).astype("int32")
    noisy = keras.Sequential([keras.Input((8, 8, 3)), NoiseLayer(0.1, seed=0), *linear.layers])
    threat = Linf(0.02)
    attacks = {"PGD": pgd(threat, draws=20), "Square": Square(threat, steps=50, draws=20)}
    assert evaluate(noisy, (x, y), threat, attacks).findings == ()
    few = {"PGD": pgd(threat, draws=20), "one": pgd(threat, draws=19)}
    for attacks in (few, {}):
        found = evaluate(noisy, (x, y), threat, attacks).findings
        assert [finding.name for finding in found] == ["random outputs"]
    alone = evaluate(noisy, (x, y), threat, {"PGD": pgd(threat)})
    assert [finding.name for finding in alone.findings] == ["random outputs"]


def test_autoattack_goes_over_what_is_left(model, data, threat):
    """No stage raises accuracy, and each is asked for the survivors of those before it alone."""
    attacks = suite(threat, "autoattack", classes=4)
    short = {label: dataclasses.replace(attack, steps=20) for label, attack in attacks.items()}
    clean, *stages = evaluate(model, data, threat, short, cascade=True, **LIGHT).results
    assert [stage.label for stage in stages] == ["APGD-CE", "APGD-T", "FAB-T", "Square"]
    robust = clean.robust
    for stage in stages:
        np.testing.assert_array_equal(~np.isnan(stage.distance), robust | ~clean.robust)
        assert not (stage.robust & ~robust).any() and stage.cascade and not stage.minimal
        robust = stage.robust
    assert 0 < robust.mean() < 1


def test_what_is_proved_is_not_attacked(model, data, threat, tmp_path):
    """Images of a certificate count as robust; all others fare as without it."""
    small = dataclasses.replace(threat, eps=threat.eps / 3)
    proof = certify(model, *data, small, "crown-ibp")
    assert 0 < proof.certified.sum() < len(data[0])
    attacks = {"PGD": pgd(small), "Square": Square(small, steps=20)}
    facts = {"cascade": True, **LIGHT}
    alone = evaluate(model, data, small, attacks, **facts)
    spared = evaluate(model, data, small, attacks, certificate=proof, **facts)
    np.testing.assert_array_equal(spared.robust, alone.robust)
    for result in spared.results[1:]:
        assert result.robust[proof.certified].all()
        assert np.isnan(result.distance[proof.certified]).all()
    assert spared.results[1].gradients < alone.results[1].gradients
    assert spared.proved["examples"] == proof.certified.sum() and alone.proved is None
    spared.save(tmp_path / "report.json")
    assert Report.read(tmp_path / "report.json").proved == spared.proved
    with pytest.raises(ValueError, match="reports of another proved cannot be merged"):
        alone.merge(spared)


def test_certificates_of_something_else_are_refused(model, data, threat):
    proof = certify(model, *data, threat, "ibp")
    x, y = data
    for changed, message in (
        ({"cascade": False}, "certificate needs cascade=True"),
        ({"model": tiny_classifier(seed=1)}, "Received: one of the model"),
        ({"data": (x[:9], y[:9])}, "Received: one of the data"),
        ({"threat": Linf(0.5)}, r"Received: one of the threat Linf .*evaluated is Linf 0.5"),
    ):
        given = {"model": model, "data": data, "threat": threat, "cascade": True} | changed
        with pytest.raises(ValueError, match=message):
            evaluate(**given, attacks={"FGSM": fgsm(given["threat"])}, certificate=proof)


def test_suites():
    assert suite(Linf(8 / 255))["PGD-20"].step_size == pytest.approx(2 / 255)
    assert suite(Linf(0.3))["PGD-40 x 2"].step_size == pytest.approx(0.01)
    # A step of PGD in L1 moves one pixel, and wastes the next ones on it.
    assert list(suite(L1(8.0))) == ["FGSM", "APGD-CE", "APGD margin"]
    assert list(suite(Linf(0.1), "autoattack")) == ["APGD-CE", "APGD-T", "FAB-T", "Square"]
    assert suite(Linf(0.1), "autoattack", classes=4)["APGD-T"].targets == 3
    many, targeted, fab, _ = suite(L1(8.0), "autoattack").values()
    assert many.larger_eps and many.restarts == 5
    assert targeted.larger_eps and targeted.targets == 5 and fab.targets == 9
    assert all(attack.draws == 20 for attack in suite(Linf(0.1), "rand").values())
    assert set(CASCADES) <= set(SUITES)
    with pytest.raises(ValueError, match="closest: 'autoattack'"):
        suite(Linf(0.1), "autoatack")
    with pytest.raises(ValueError, match="at least 4 classes"):
        suite(Linf(0.1), "autoattack", classes=2)
    with pytest.raises(ValueError, match="at least 3 classes. Received: 2"):
        suite(Linf(0.1), "rand", classes=2)
    with pytest.raises(ValueError, match="'paper' needs a threat Linf or L2. Received: L1"):
        suite(L1(2.0), "paper")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"threat": 8 / 255}, "threat must be Linf, L2 or L1"),
        ({"attacks": [fgsm(Linf(0.1))]}, "attacks must be attacks by their labels"),
        ({"attacks": {"a": PGD}}, "attacks must be attacks by their labels"),
        ({"attacks": {"clean": fgsm(Linf(0.1))}}, "other labels than 'clean'"),
        ({"batch_size": 0}, "batch_size must be an integer >= 1"),
        ({"seed": "a"}, "seed must be an integer"),
        ({"seed": -1}, "seed must be an integer from 0 to 2"),
        ({"seed": 2**31}, "seed must be an integer from 0 to 2"),
        ({"data": 3}, r"data must be a tuple \(images, labels\)"),
        ({"data": Dataset("mnist", None, None, None, ())}, "Received: Dataset; closest: its .test"),
        ({"model": lambda x: x}, "must be a functional keras.Model"),
    ],
)
def test_arguments_of_the_wrong_kind(changed, message):
    arguments = {"model": tiny_classifier(), "data": tiny_batch(), "threat": Linf(0.1)}
    with pytest.raises(ValueError, match=message):
        evaluate(**arguments | changed)


def test_a_defense_is_not_the_model_to_judge():
    defense = MadryTraining(tiny_classifier(), fgsm(Linf(0.1)))
    with pytest.raises(ValueError, match="closest: its .deployed"):
        evaluate(defense, tiny_batch(), Linf(0.1))


def test_draws_reach_every_attack_of_a_suite():
    for name in SUITES:
        for attack in suite(Linf(0.1), name, draws=30).values():
            assert attack.draws == 30


def test_one_attack_more_on_a_loss_of_ones_own():
    """It averages as much as the others do, and stands behind them."""
    for defense, loss in (("mmc", mmc), ("at_mmc", mmc), ("rce", reverse_cross_entropy)):
        assert attack_loss("own", defense) is loss
    assert attack_loss("margin", "trades") is margin
    for name in SUITES:
        *others, label = attacks = suite(Linf(0.1), name, loss=mmc)
        assert others == list(suite(Linf(0.1), name)) and label == "APGD mmc"
        assert attacks[label].loss is mmc
        assert {attack.draws for attack in attacks.values()} == {20 if name == "rand" else 1}
    with pytest.raises(ValueError, match="trades has no loss of its own .* mmc, mmc_rand, at_mmc"):
        attack_loss("own", "trades")


def test_an_adversary_who_knows_the_loss_beats_a_saturated_cross_entropy():
    """Distances to centres so large that the softmax is exactly 1: only their loss has a slope."""
    linear, x = tiny_linear(4), tiny_batch(20)[0]
    linear.layers[-1].bias.assign(-keras.ops.convert_to_numpy(linear(x)).mean(0))
    scaled = keras.Sequential([linear, keras.layers.Rescaling(2.0**20)])
    y = classes(scaled, x).astype("int32")
    weak, own = (
        evaluate(scaled, (x, y), Linf(0.1), {"BIM": bim(Linf(0.1), 0.03, **loss)}, **LIGHT)
        for loss in ({}, {"loss": attack_loss("own", "mmc")})
    )
    assert weak.worst_case_accuracy > 0.9 and own.worst_case_accuracy == 0


def test_targeted_attacks_are_refused(model, data):
    with pytest.raises(ValueError, match="untargeted"):
        evaluate(model, data, Linf(0.1), {"PGD": PGD(Linf(0.1), 0.1, targeted=True)})


@pytest.mark.parametrize(
    "attack, message",
    [
        (Spatial(tries=20), "'own', which has no threat"),
        (PGD(Linf(0.1), 0.01), "'own', which goes up to Linf 0.1"),
    ],
    ids=["spatial", "larger"],
)
def test_attacks_outside_the_threat_are_refused(model, data, attack, message):
    with pytest.raises(ValueError, match=message):
        evaluate(model, data, Linf(0.05), {"own": attack})


def test_stops_only_at_what_lies_within_the_threat(model, data, monkeypatch):
    """Whatever is in an L2 ball may lie outside of the report's in Linf."""
    stops = []

    def noted(attack, model, images, labels, batch_size, seed, until, advance):
        stops.append(until and until.__self__)
        return run(attack, model, images, labels, batch_size, seed, until, advance)

    monkeypatch.setattr(MODULE, "run", noted)
    attacks = {"L2": PGD(L2(3.0), 0.5), "small": fgsm(Linf(0.01)), "FAB": FAB(Linf(1.0), steps=2)}
    evaluate(model, data, Linf(0.05), attacks, **LIGHT)
    assert stops == [Linf(0.05), Linf(0.05), None]


def test_a_model_that_answers_by_its_batch_is_attacked_to_the_end(model, data, monkeypatch):
    """What fools it at one place of the batch may fail at that where it is judged."""
    stops = []

    def noted(attack, model, images, labels, batch_size, seed, until, advance):
        stops.append(until)
        return run(attack, model, images, labels, batch_size, seed, until, advance)

    monkeypatch.setattr(MODULE, "run", noted)
    mean = keras.layers.Lambda(lambda x: x - keras.ops.mean(x, axis=0, keepdims=True))
    masked = keras.Sequential([keras.Input((8, 8, 3)), mean, *model.layers])
    report = evaluate(masked, data, Linf(0.05), {"FGSM": fgsm(Linf(0.05))})
    assert "outputs depend on the batch" in [finding.name for finding in report.findings]
    assert stops == [None]


def test_a_random_model_is_not_robust_because_of_one_lucky_draw():
    """Its mean is a linear model that eps .1 breaks everywhere; some draws fool it before."""
    linear, x = tiny_linear(4), tiny_batch(200)[0]
    linear.layers[-1].bias.assign(-keras.ops.convert_to_numpy(linear(x)).mean(0))
    y = classes(linear, x).astype("int32")
    noise = NoiseLayer(0.3, seed=0)
    noisy = keras.Sequential([keras.Input((8, 8, 3)), noise, *linear.layers])
    attack = PGD(Linf(0.1), 0.025, steps=20)
    report = evaluate(noisy, (x, y), Linf(0.1), {"PGD": attack}, **LIGHT)
    assert report.worst_case_accuracy < 0.02
    pgd = lambda eps: PGD(Linf(eps), eps / 4, steps=20)  # noqa: E731
    assert eps_curve(noisy, x, y, pgd, [0.1])[0] < 0.02


@pytest.mark.parametrize("attack", [Square(Linf(0.1), steps=300, draws=20), PGD(Linf(0.1), 0.025)])
def test_a_random_model_is_not_left_after_one_lucky_draw(attack):
    """Where the same linear model without noise is broken everywhere, so is the noisy one."""
    linear, x = tiny_linear(4), tiny_batch(100)[0]
    linear.layers[-1].bias.assign(-keras.ops.convert_to_numpy(linear(x)).mean(0))
    y = classes(linear, x).astype("int32")
    noisy = keras.Sequential([keras.Input((8, 8, 3)), NoiseLayer(0.3, seed=0), *linear.layers])
    assert evaluate(noisy, (x, y), Linf(0.1), {"it": attack}, **LIGHT).worst_case_accuracy < 0.12


def test_outputs_that_are_no_numbers_break_nothing():
    """A logarithm is none as soon as the first pixel moves by .001; the checks complain."""
    linear, x = tiny_linear(), tiny_batch(20)[0]
    x[:, 0, 0] = 0.5
    y = classes(linear, x).astype("int32")
    images = keras.Input((8, 8, 3))
    hole = 0.0 * keras.ops.log(0.001 - keras.ops.abs(images[:, 0, 0, :1] - 0.5))
    broken = keras.Model(images, linear(images) + hole)
    attacks = {"FGSM": fgsm(Linf(0.01)), "PGD": PGD(Linf(0.01), 0.01)}
    report = evaluate(broken, (x, y), Linf(0.01), attacks)
    assert report.worst_case_accuracy == 1
    assert "unbounded attack fails" in [finding.name for finding in report.findings]


def test_a_callable_is_an_attack(model, data):
    """As `generate` promises: attack(model, x, y, seed)."""

    def white(model, x, y, seed):
        return keras.ops.clip(x + 0.01, 0.0, 1.0)

    np.testing.assert_allclose(generate(white, model, *data), np.clip(data[0] + 0.01, 0, 1))
    report = evaluate(model, data, Linf(0.02), {"white": white}, **LIGHT)
    assert report.results[1].attack == "white"


def test_what_is_no_image_breaks_nothing():
    """Pixels outside of [0, 1] turn the class, however near in eps they are."""
    model, x = tiny_linear(), tiny_batch(1)[0]
    y = classes(model, x).astype("int32")
    kernel = keras.ops.convert_to_numpy(model.layers[-1].kernel)
    way = np.sign(kernel[:, 1 - y[0]] - kernel[:, y[0]]).reshape(1, 8, 8, 3).astype("float32")

    def outside(model, images, labels, seed):
        return images + 0.95 * way

    assert classes(model, x + 0.95 * way) != y
    report = evaluate(model, (x, y), Linf(0.95), {"own": outside}, **LIGHT)
    assert report.worst_case_accuracy == 1


def test_attacks_in_words():
    loss = functools.partial(tempered_cross_entropy, temperature=2.0)
    for given, told in ((loss, "tempered_cross_entropy(temperature=2.0)"), (dlr, "dlr")):
        assert describe(PGD(Linf(0.1), 0.01, loss=given))["arguments"]["loss"] == told
    own = functools.partial(generate, PGD(Linf(0.1), 0.01))
    assert describe(own)["attack"].startswith("generate({'attack': 'PGD'")


@pytest.mark.parametrize(
    "attack",
    [
        lambda number: CarliniWagner(confidence=number(1), searches=1, iterations=2),
        lambda number: MIM(Linf(0.1), number(0.25), steps=1, decay=number(0.5)),
        lambda number: DeepFool(steps=1, overshoot=number(0.5)),
    ],
    ids=["carlini-wagner", "mim", "deepfool"],
)
def test_numbers_of_numpy_are_told_as_those_of_python(attack):
    """To a report and to the journal, which are JSON."""
    model, x = tiny_linear(), tiny_batch(4)[0]
    data, given = (x, classes(model, x)), {"own": attack(np.float32)}
    report = evaluate(model, data, Linf(0.1), given, **LIGHT)
    assert json.loads(json.dumps(report.results[1].arguments)) == report.results[1].arguments
    assert json.dumps(describe(attack(np.float32))) == json.dumps(describe(attack(float)))
    assert describe(attack(np.float64)) == describe(attack(float))


def test_praise_only_where_the_checks_were_run(model, data):
    reports = [evaluate(model, data, Linf(0.001), {}, checks=checks) for checks in (True, False)]
    told = [next(accuracy_tables({"model": report}, "")).caption for report in reports]
    assert reports[0].findings == ()
    assert ["The checks found nothing" in text for text in told] == [True, False]
