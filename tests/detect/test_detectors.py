"""What every detector promises, whatever it looks at."""

import inspect
import json

import keras
import numpy as np
import pytest
from detectors import EXAMPLES, fit, training_data
from tiny import tiny_classifier, tiny_linear, values

from robustzoo import detect
from robustzoo.detect import Detector

DATA = training_data()
UNFITTED = {name: make for name, make in EXAMPLES.items() if make(tiny_linear()).scorer is None}


@pytest.fixture(scope="module")
def model():
    return tiny_classifier(dropout=0.3)


@pytest.fixture(scope="module", params=EXAMPLES.values(), ids=EXAMPLES.keys())
def detector(request, model):
    return fit(request.param(model), *DATA)


def test_every_detector_has_an_example(model):
    public = [getattr(detect, name) for name in detect.__all__]
    known = {c for c in public if inspect.isclass(c) and issubclass(c, Detector)} - {Detector}
    assert known == {type(make(model)) for make in EXAMPLES.values()}


def test_scores_are_finite_and_do_not_depend_on_the_batch(detector):
    scores = detector.score(DATA[2])
    assert scores.shape == (60,) and scores.dtype == "float32"
    assert np.isfinite(scores).all() and scores.std() > 0
    np.testing.assert_allclose(detector.score(DATA[2], batch_size=7), scores, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(detector.score(DATA[2][:1]), scores[:1], rtol=1e-4, atol=1e-4)


def test_fits_the_same_twice_and_leaves_the_model_untouched(detector, model):
    before = values(model)
    again = fit(type(detector)(model, **detector.settings), *DATA)
    np.testing.assert_array_equal(again.score(DATA[0]), detector.score(DATA[0]))
    for old, new in zip(before, values(model), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("make", UNFITTED.values(), ids=UNFITTED.keys())
def test_scores_nothing_before_it_is_fitted(make, model):
    for use in (
        lambda detector: detector.score(DATA[0]),
        lambda detector: detect.abstain(detector, DATA[0], 0.0),
        lambda detector: detect.abstaining(detector, 0.0),
        lambda detector: detect.roc(detector, *DATA),
    ):
        with pytest.raises(RuntimeError, match="must be fitted first"):
            use(make(model))


@pytest.mark.parametrize("make", EXAMPLES.values(), ids=EXAMPLES.keys())
def test_takes_two_classes_and_a_class_without_training_images(make):
    two = tiny_linear(2)
    x, y, adversarial = DATA
    detector = fit(make(two), x, np.zeros_like(y), adversarial)
    assert np.isfinite(detector.score(x)).all()


def test_refuses_what_is_no_image(detector):
    broken = DATA[0].copy()
    broken[0, 0, 0, 0] = np.nan
    for images, words in [(broken, "finite"), (DATA[0] * 255, "lie in"), (DATA[0][0], "shape")]:
        with pytest.raises(ValueError, match=words):
            detector.score(images)
        with pytest.raises(ValueError, match=words):
            fit(detector, images, DATA[1][: len(images)], DATA[2])
    with pytest.raises(ValueError, match="labels must"):
        fit(detector, DATA[0], DATA[1] + 1, DATA[2])


def test_passes_the_gradient_on(detector):
    from keras import ops

    from robustzoo.backend import frozen, input_gradient

    def scores(x):
        with frozen():
            return detector.scorer(x), ()

    gradient = input_gradient(scores, ops.convert_to_tensor(DATA[2]))[2]
    gradient = ops.convert_to_numpy(gradient)
    assert np.isfinite(gradient).all() and np.abs(gradient).max() > 0


def test_is_the_same_from_a_folder(detector, model, tmp_path):
    detect.save(detector, tmp_path / "one")
    again = detect.load(tmp_path / "one", model)
    assert type(again) is type(detector) and again.settings == detector.settings
    np.testing.assert_array_equal(again.score(DATA[0]), detector.score(DATA[0]))


def test_refuses_a_folder_of_another_model_or_tampered_with(model, tmp_path):
    detect.save(fit(EXAMPLES["kernel-density"](model), *DATA), tmp_path)
    with pytest.raises(ValueError, match="other weights"):
        detect.load(tmp_path, tiny_classifier(seed=1))
    config = json.loads((tmp_path / "detector.json").read_text())

    def refused(words, **changes):
        (tmp_path / "detector.json").write_text(json.dumps(config | changes))
        with pytest.raises(ValueError, match=words):
            detect.load(tmp_path, model)

    refused("Did you mean 'KernelDensity'", detector="KernelDensiti")
    refused("settings of KernelDensity", settings={})
    refused("must hold", arrays={"bank": [4, 10, 8]})
    refused("must be float32", arrays=config["arrays"] | {"counts": [5]})
    refused("variance must be", settings=config["settings"] | {"variance": -1})
    (tmp_path / "detector.json").write_text(json.dumps(config))
    (tmp_path / "arrays.npz").write_bytes((tmp_path / "arrays.npz").read_bytes()[:100])
    with pytest.raises(ValueError, match="malformed"):
        detect.load(tmp_path, model)


def test_refuses_a_model_it_cannot_look_into():
    class Opaque(keras.Model):
        def call(self, x):
            return x

    for make in EXAMPLES.values():
        with pytest.raises(ValueError, match="functional or sequential"):
            make(Opaque())
