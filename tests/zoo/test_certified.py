"""A certificate in a model folder: of these weights, on the card, in the registry."""

import json

import pytest
from huggingface_hub import ModelCard

from robustzoo import zoo
from robustzoo.hashes import sha256
from robustzoo.zoo.config import same_threat
from robustzoo.zoo.folder import write_json
from tests.zoo.records import CONFIG, EVALUATION, RECORD


@pytest.fixture
def certificate(checkout):
    """What certificate.json may hold, of the weights in the folder."""
    return {
        **RECORD,
        "command": "robustzoo certify trades-tiny",
        **{key: EVALUATION[key] for key in ("dataset", "split", "examples", "sample_seed")},
        "threat": {"norm": "linf", "eps": "0.3"},
        "clip": True,
        "methods": ["ibp", "crown"],
        "accuracy": 0.9931,
        "certified_accuracy": 0.9312,
        "attacked": EVALUATION["results"][1] | {"label": "PGD-40", "accuracy": 0.9521},
        "tolerance": 1e-4,
        "precision": "float64",
        "seconds": 12.3,
        "model_sha256": "1" * 64,
        "data_sha256": "2" * 64,
        "weights_sha256": sha256((checkout / "model.safetensors").read_bytes()),
    }


def test_a_folder_with_a_certificate_is_released_with_it(checkout, certificate):
    write_json(checkout / "certificate.json", certificate)
    proved = zoo.register(checkout)["certified"]
    assert proved == {
        "norm": "linf",
        "eps": "0.3",
        "examples": 10000,
        "clean": 0.9931,
        "attacked": 0.95,  # eval.json's worst case, of the same images, is below PGD-40's 0.9521
        "accuracy": 0.9312,
        "methods": ["ibp", "crown"],
    }
    assert zoo.list_models(certified=True) == [checkout.name]
    assert zoo.verify(checkout.name)["files"] == 6
    about = zoo.info(checkout.name)
    assert about["certificate"] == certificate and about["certified"] == proved


def test_another_sample_s_attack_does_not_count(checkout, certificate):
    write_json(checkout / "certificate.json", certificate | {"examples": 100, "sample_seed": 0})
    assert zoo.register(checkout)["certified"]["attacked"] == 0.9521


def test_the_card_says_every_fact_of_the_certificate(checkout, certificate):
    other = certificate | {"threat": {"norm": "l2", "eps": "1"}, "certified_accuracy": 0.5}
    write_json(checkout / "certificate.json", certificate | {"further": [other]})
    zoo.write_card(checkout)
    text = (checkout / "README.md").read_text()
    for fact in (
        "Proved for 10,000 images of mnist (test split), threat Linf 0.3.",
        "threat L2 1.",
        "| clean | - | 99.31 | - | - |",
        "| PGD-40 | steps=40, restarts=3 | 95.21 | - | 60.0 |",
        "| certified | by ibp, crown; a margin counts above 0.0001 of the largest logit",
        "hidden bounds in float64",
        "| 93.12 | - | 12.3 |",
        "robustzoo certify trades-tiny",
        "the truth lies between",
        "`training.json`, `eval.json` and `certificate.json` are the records",
    ):
        assert fact in text
    metrics = {r.metric_name: r for r in ModelCard(text).data.eval_results}
    assert metrics["certified, Linf 0.3"].metric_value == 0.9312
    assert metrics["certified, Linf 0.3"].metric_args["methods"] == ["ibp", "crown"]
    assert metrics["certified, L2 1"].metric_value == 0.5


def test_the_card_puts_the_published_share_beside_the_certified(checkout, certificate):
    training = json.loads((checkout / "training.json").read_text())
    training["published"] = {"certified": 0.942, "source": "Wong & Kolter"}
    write_json(checkout / "training.json", training)
    write_json(checkout / "certificate.json", certificate)
    zoo.write_card(checkout)
    text = (checkout / "README.md").read_text()
    assert "| 93.12 | 94.20 | 12.3 |" in text and "Published: Wong & Kolter." in text


@pytest.fixture
def smoothing(checkout):
    """What smoothing.json may hold, of the weights in the folder."""
    return {
        **RECORD,
        "command": "robustzoo smooth trades-tiny --sigma 0.25",
        **{key: EVALUATION[key] for key in ("dataset", "split", "examples")},
        "sample_seed": 3,
        "sigma": 0.25,
        "n0": 100,
        "n": 1000,
        "alpha": 0.001,
        "seed": 0,
        "abstained": 0.0125,
        "certified_accuracy": {"0": 0.91, "0.25": 0.8375},
        "seconds": 60.0,
        "weights_sha256": sha256((checkout / "model.safetensors").read_bytes()),
    }


def test_the_card_says_the_radii_of_the_smoothed_classifier(checkout, smoothing):
    write_json(checkout / "smoothing.json", smoothing)
    zoo.register(checkout)
    text = (checkout / "README.md").read_text()
    for fact in (
        "10,000 images of mnist (test split, a sample drawn with seed 3), noise of standard "
        "deviation 0.25: 100 draws choose a class, 1,000 count it (seed 0)",
        "probability 0.999. Abstained on 1.25 %",
        "| 0.25 | 83.75 |",
        "robustzoo smooth trades-tiny --sigma 0.25",
        "of the smoothed classifier",
        "`eval.json` and `smoothing.json` are the records",
    ):
        assert fact in text
    assert zoo.verify(checkout.name)["files"] == 6
    assert zoo.info(checkout.name)["smoothing"] == smoothing


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"sigma": ...}, "smoothing.json lacks sigma"),
        ({"device": "\x1b[2J"}, "smoothing.json: device must be printable text"),
        ({"certified_accuracy": {"0": True}}, r"accuracy must lie in \[0, 1\]. Received: True"),
        ({"certified_accuracy": {"0": 91.0}}, r"smoothing.json: accuracy must lie in \[0, 1\]"),
        ({"weights_sha256": "0" * 64}, "sha256 0{64}, actual .*: measure the model again"),
    ],
)
def test_bad_radii_are_refused(checkout, smoothing, change, match):
    changed = {key: v for key, v in (smoothing | change).items() if v is not ...}
    (checkout / "smoothing.json").write_text(json.dumps(changed))
    with pytest.raises(ValueError, match=match):
        zoo.write_card(checkout)
    zoo.write_manifest(checkout)
    with pytest.raises(ValueError, match=match):
        zoo.verify(checkout)


def test_a_card_without_a_certificate_does_not_speak_of_one(saved):
    assert "certif" not in (saved / "README.md").read_text().lower()


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"tolerance": ...}, "certificate.json lacks tolerance"),
        ({"tolerance": "1e-4"}, "tolerance must be a whole number or a number"),
        ({"methods": ["\x1b[2J"]}, "certificate.json: methods must be printable text"),
        ({"methods": [5]}, "certificate.json: a method must be printable text"),
        ({"further": 5}, "certificate.json: further must be a list"),
        ({"attacked": {}}, "attacked lacks attack"),
        ({"certified_accuracy": 93.12}, r"certificate.json: accuracy must lie in \[0, 1\]"),
        ({"threat": {"norm": "linf", "eps": 0.3}}, "eps must be exact text"),
        ({"weights_sha256": "0" * 64}, "sha256 0{64}, actual .*: measure the model again"),
    ],
)
def test_a_bad_certificate_is_refused(checkout, certificate, change, match):
    changed = {key: v for key, v in (certificate | change).items() if v is not ...}
    (checkout / "certificate.json").write_text(json.dumps(changed))
    for use in (zoo.write_card, zoo.register):
        with pytest.raises(ValueError, match=match):
            use(checkout)
    zoo.write_manifest(checkout)
    with pytest.raises(ValueError, match=match):
        zoo.verify(checkout)


def test_saving_a_model_anew_drops_the_former_certificate(checkout, certificate, model):
    write_json(checkout / "certificate.json", certificate)
    zoo.save(model, checkout, CONFIG)
    assert not (checkout / "certificate.json").exists()
    assert zoo.register(checkout)["certified"] is None


def test_equal_threats_are_equal_however_they_are_written():
    linf = {"norm": "linf", "eps": "51/255"}
    assert same_threat(linf, {"norm": "linf", "eps": "0.2"}) and same_threat(None, None)
    assert not same_threat(linf, {"norm": "l2", "eps": "0.2"})
    assert not same_threat(linf, {"norm": "linf", "eps": "0.1"})
    assert not same_threat(linf, None)
