"""What every defense trains is released, saved, and loaded from the folder with the same logits."""

import inspect
from functools import partial

import keras
import numpy as np
import pytest
from tiny import numpy

from robustzoo import defenses, zoo
from robustzoo.architectures import build
from robustzoo.attacks import PGD, fgsm
from robustzoo.datasets import Dataset, Split
from robustzoo.defenses import (
    IBP,
    MTLIBP,
    SABR,
    AdaptiveDiversity,
    AdversarialGenerator,
    AdversarialMixing,
    AdversarialPool,
    CenterLossTraining,
    Certified,
    CrownIBP,
    Defense,
    Distillation,
    ExactLinear,
    HiddenPerturbation,
    MadryTraining,
    MixupTraining,
    NoiseTraining,
    StandardTraining,
    Trades,
    WongKolter,
)
from robustzoo.detect import DETECTORS
from robustzoo.losses import mmc, reverse_cross_entropy
from robustzoo.threats import L2, Linf
from robustzoo.zoo.weights import named_weights
from training.recipe import Recipe
from training.release import release
from training.with_detector import with_detector

THREAT = Linf(0.02)
ATTACK = PGD(THREAT, 0.01, steps=2)


def described(architecture, **arguments):
    return {"architecture": architecture, "arguments": arguments}


SHAPE = {"input_shape": [8, 8, 1], "classes": 4}
MLP = described("mlp", widths=[8], **SHAPE)
# One convolution more than a layer of noise needs, and BatchNormalization.
CONVOLUTIONAL = described("shaham_cnn", input_shape=[18, 18, 1], classes=4)
TEACHER = build("mlp", MLP["arguments"])
GENERATOR = keras.Sequential(
    [keras.Input((8, 8, 1)), keras.layers.Conv2D(1, 3, padding="same", activation="tanh")]
)
BOUNDED = dict.fromkeys((IBP, CrownIBP, MTLIBP, SABR, WongKolter), {"threat": THREAT})
OF_THE_MLP = BOUNDED | {  # defenses that leave the architecture as it is, and their arguments
    AdversarialGenerator: {"threat": THREAT, "radius": "estimated", "generator": GENERATOR},
    AdversarialMixing: {"attack": fgsm(THREAT)},
    AdversarialPool: {"attack": ATTACK, "pool": 8},
    CenterLossTraining: {},
    Distillation: {"teacher": TEACHER, "temperature": 5.0},
    HiddenPerturbation: {"threat": L2(0.1), "layer": "dense1"},
    MadryTraining: {"attack": ATTACK},
    MixupTraining: {"attack": ATTACK},
    NoiseTraining: {"sigma": 0.1},
    StandardTraining: {},
    Trades: {"attack": ATTACK},
}
CASES = {cls.__name__: (MLP, None, partial(cls, **given)) for cls, given in OF_THE_MLP.items()}


def abstaining(detector, **settings):
    released = described("abstaining", base=MLP, detector=detector, **settings)
    return MLP, released, StandardTraining


CASES |= {
    "ExactLinear": (described("linear", **SHAPE), None, partial(ExactLinear, threat=THREAT)),
    "ensemble": (
        described("ensemble", members=[MLP, MLP]),
        None,
        partial(AdaptiveDiversity, attack=fgsm(THREAT)),
    ),
    "center head": (
        described("center_head", base=MLP, dim=3),
        None,
        partial(StandardTraining, criterion=mmc),
    ),
    "reversed logits": (
        described("reversed_logits", base=MLP),
        None,
        partial(StandardTraining, criterion=reverse_cross_entropy),
    ),
    "noisy": (
        described("noisy", base=CONVOLUTIONAL, image=0.2),
        described("noisy", base=CONVOLUTIONAL, image=0.2, draws=3),
        partial(MadryTraining, attack=fgsm(THREAT)),
    ),
    "mixup inference": (
        MLP,
        described("mixup_inference", base=MLP, predicted=1, other=2, pool=2),
        MixupTraining,
    ),
    "Confidence": abstaining("Confidence"),
    "KernelDensity": abstaining("KernelDensity", per_class=2),
    "LID": abstaining("LID", neighbours=2, reference=4),
    "NonMaximalEntropy": abstaining("NonMaximalEntropy"),
}


def test_every_detector_is_here():
    assert set(DETECTORS) <= set(CASES)


def test_every_defense_is_here():
    every = {c for _, c in inspect.getmembers(defenses, inspect.isclass) if issubclass(c, Defense)}
    trained = {getattr(make, "func", make) for _, _, make in CASES.values()}
    assert trained == every - {Defense, Certified}


@pytest.mark.parametrize("case", CASES)
def test_reloads_from_the_folder_with_the_same_logits(case, tmp_path):
    net, released, make = CASES[case]
    fitting = {"false_positive_rate": 0.5, "examples": 6} if case in DETECTORS else None
    recipe = Recipe("mnist", **net, released=released, defense=make, threat=None, epochs=1,
                    batch_size=8, learning_rate=float, optimizer=keras.optimizers.SGD,
                    fitting=fitting)  # fmt: skip
    classifier = build(net["architecture"], net["arguments"])
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (8, *classifier.input_shape[1:])).astype("uint8")
    train = Split(pixels, np.arange(8, dtype="int32") % 4)
    data = Dataset("mnist", train, train, train, tuple("abcd"))
    defense = make(classifier, average_decay=0.5)
    defense.compile(keras.optimizers.SGD(0.1))
    before = [numpy(v) for v in classifier.trainable_variables]
    defense.train_on_batch(train.images, train.labels)
    model = release(recipe, defense.deployed, data)
    zoo.save(model, tmp_path / "net", config(recipe, model))
    loaded = zoo.load(tmp_path / "net")
    if case in DETECTORS:  # half of them, but for the one that the threshold is the score of
        assert 3 <= (numpy(loaded(train.images)).argmax(1) == 4).sum() <= 5
    np.testing.assert_array_equal(numpy(loaded(train.images)), numpy(model(train.images)))
    kept = named_weights(loaded)
    for name, variable in named_weights(defense.deployed).items():
        np.testing.assert_array_equal(numpy(kept[name]), numpy(variable))
    after = [numpy(v) for v in classifier.trainable_variables]
    assert any((old != new).any() for old, new in zip(before, after, strict=True))


@pytest.mark.parametrize("name", list(DETECTORS))
def test_a_detector_learns_from_so_many_images(name, monkeypatch):
    seen, fit = [], DETECTORS[name].fit

    def learned(self, images, *rest):
        seen.append(len(images))
        return fit(self, images, *rest)

    monkeypatch.setattr(DETECTORS[name], "fit", learned)
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (8, *SHAPE["input_shape"])).astype("uint8")
    train = Split(pixels, np.arange(8, dtype="int32") % 4)
    data, net = Dataset("mnist", train, train, train, tuple("abcd")), build(*MLP.values())
    arguments = CASES[name][1]["arguments"]
    for examples in (None, 6):
        with_detector(net, arguments, data, Linf(0.1), 0.5, examples)
    assert seen == [8, 6]


def test_a_recipe_of_a_detector_says_how_it_is_fitted():
    given = dict(dataset="mnist", **MLP, defense=StandardTraining, threat=None, epochs=0,
                 batch_size=8, learning_rate=float, optimizer=keras.optimizers.SGD)  # fmt: skip
    with pytest.raises(ValueError, match="fitting=None, abstaining"):
        Recipe(**given, released=CASES["Confidence"][1])
    with pytest.raises(ValueError, match="fitting is of a released model that abstains"):
        Recipe(**given, fitting={"false_positive_rate": 0.1})


def config(recipe, model):
    """As the trainer writes it."""
    return recipe.described | {
        "dataset": recipe.dataset,
        "threat": None,
        "defense": "test",
        "input_shape": list(model.input_shape[1:]),
        "labels": ["a", "b", "c", "d", "rejected"][: model.output_shape[-1]],
        "recipe": None,
        "license": recipe.license,
    }
