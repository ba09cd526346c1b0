"""No image is both certified and broken, whatever released model it is of.

Of every release two pictures, by small steps, as far as anything is proved of them. Of those with a
certificate test images that are hardly certified, or not quite, by every attack of its norm.
"""

import dataclasses
import functools
import json
import os
from pathlib import Path

import numpy as np
import pytest
from keras import ops
from PIL import Image

import robustzoo
from robustzoo import architectures
from robustzoo.attacks import APGD, run
from robustzoo.backend import compiled, input_gradient
from robustzoo.certification import certify
from robustzoo.certification.graph import Graph
from robustzoo.datasets import NAMES
from robustzoo.forward import forward
from robustzoo.losses import margin
from robustzoo.threats import from_config
from robustzoo.zoo.records import parts
from tests.attacks.examples import EXAMPLES

ROOT = Path(__file__).parents[2]
CARDS = sorted(path.parent for path in ROOT.glob("model_cards/*/config.json"))
BOUNDLESS = (
    "abstaining",
    "ensemble",
    "mixup_inference",
    "noisy",
)  # architectures with a layer of no known bounds
HOPELESS = ("preact_resnet",)  # bounds grow a hundred million times: nothing is proved at any eps
METHODS = ("ibp", "crown-ibp")  # which take nets of every size released
# In Linf, from those of nets made for proofs to the last digit of a pixel.
RADII = (0.03, 6e-3, 1e-3, 2e-4, 2e-5, 2e-6, 6e-7, 6e-8)
COUNT, DESCENTS = 2, 10


@pytest.mark.parametrize("folder", CARDS, ids=lambda folder: folder.name)
def test_what_is_certified_is_not_broken(folder):
    config = json.loads((folder / "config.json").read_text())
    released = robustzoo.load(folder)
    if config["architecture"] in BOUNDLESS:
        with pytest.raises(ValueError, match="no bounds are known of"):
            Graph(released)
        return
    model, descend = net(config["architecture"], json.dumps(config["arguments"]))
    model.set_weights(released.get_weights())
    x = pictures(config["input_shape"])
    labels = forward(model, x, COUNT).argmax(axis=1).astype("int32")
    if config["architecture"] in HOPELESS:
        assert not proved(model, x, labels, RADII[-1:]).any()
        return
    radii = proved(model, x, labels, RADII)
    assert radii.any()
    # As far as it is proved nothing is found; much further something is: the attack is one.
    assert not broken(descend, x, labels, radii).any()
    assert broken(descend, x, labels, np.full(COUNT, 0.6)).any()


def proved(model, x, labels, candidates):
    """The largest of the candidates at which an image is certified, or 0, (B,)."""
    radii = np.zeros(COUNT)
    for eps in candidates:
        left = radii == 0
        if left.any():
            sure = certify(model, x[left], labels[left], eps, method=METHODS).certified
            radii[left] = np.where(sure, eps, 0.0)
    return radii


@functools.cache
def net(architecture, arguments):
    """A model of its kind, and a compiled attack on whatever weights it has."""
    model = architectures.build(architecture, json.loads(arguments))

    def descend(z, x, eps, y):
        """A step of gradient ascent on the margin within boxes, and the logits before it."""

        def losses(z):
            logits = model(z, training=False)
            return margin(y, logits), logits

        _, logits, gradient = input_gradient(losses, z)
        moved = z + eps / 4.0 * ops.sign(gradient)
        return ops.clip(x + ops.clip(moved - x, -eps, eps), 0.0, 1.0), logits

    return model, compiled(descend, model.variables)


def broken(descend, x, labels, radii):
    """Whether any of some steps, from a corner on, changes the answer, (B,)."""
    eps = radii.reshape(-1, 1, 1, 1).astype("float32")
    z, found = (x + eps * np.sign(x - 0.5)).clip(0.0, 1.0), np.zeros(len(x), bool)
    given = [ops.convert_to_tensor(part) for part in (x, eps, labels)]
    z = ops.convert_to_tensor(z)
    for _ in range(DESCENTS):
        z, logits = descend(z, *given)
        found |= ops.convert_to_numpy(logits).argmax(axis=1) != labels
    return found


def pictures(shape):
    """A digit and its negative, as large as the model wants them, its colours alike."""
    with Image.open(ROOT / "docs" / "digit.png") as image:
        digit = np.asarray(image.convert("L").resize(shape[1::-1]), "float32") / 255
    x = np.stack([digit, 1.0 - digit])[..., None]
    return np.repeat(x, shape[2], axis=-1).astype("float32")


@functools.cache
def read(folder, name):
    return json.loads((folder / name).read_text())


def certified_cases():
    """(folder, threat) of every certificate whose data set is there, sorted by architecture.

    That is in TFDS_DATA_DIR: a test downloads nothing.
    """
    place = os.environ.get("TFDS_DATA_DIR")
    folders = [folder for folder in CARDS if (folder / "certificate.json").exists()]
    for folder in sorted(folders, key=lambda f: read(f, "config.json")["architecture"]):
        record = read(folder, "certificate.json")
        if not place or not (Path(place) / NAMES[record["dataset"]]).is_dir():
            continue
        for part in parts(record):
            yield folder, from_config(part["threat"])


def applies(attack, folder, threat):
    """Whether an attack is of the norm, and there are as many classes as it goes for."""
    classes = len(read(folder, "config.json")["labels"])
    enough = not isinstance(attack, APGD) or attack.targets < classes
    return enough and type(threat) in (attack.norm, type(getattr(attack, "threat", None)))


CERTIFIED = [*certified_cases()]
TRIED = {
    name: [case for case in CERTIFIED if applies(attack, *case)]
    for name, attack in EXAMPLES.items()
}
READ = 1500  # test images
# By architecture, of how many bounds are asked, how many on each side of the edge are attacked, and
# by which methods: of wong_resnet intervals prove nothing at the eps of its certificate.
EDGES = {
    "wong_small": (100, 4, METHODS),
    "wong_large": (100, 2, METHODS),
    "linear": (300, 4, METHODS),
    "wong_resnet": (20, 2, ("wong-kolter",)),
}


@pytest.mark.parametrize("name", [name for name, cases in TRIED.items() if cases])
def test_no_attack_breaks_a_test_image_that_is_certified(name):
    for case in TRIED[name]:  # of one architecture after the other: what was compiled is kept
        assert not (sure(*case) & broken_by(name, *case)).any(), case


@pytest.mark.parametrize("case", CERTIFIED, ids=lambda case: f"{case[0].name}-{case[1]}")
def test_some_test_images_are_certified_and_others_broken(case):
    """Else nothing is said by none being both."""
    assert sure(*case).any()
    assert any(broken_by(name, *case).any() for name, cases in TRIED.items() if case in cases)


def sure(folder, threat):
    """Which of the images at the edge are certified."""
    return at_the_edge(folder, threat)[-1]


@functools.cache
def broken_by(name, folder, threat):
    """Which of them an attack breaks within the threat."""
    model, weights, x, labels, _ = at_the_edge(folder, threat)
    model.set_weights(weights)
    logits = forward(model, x, len(x))
    attack = fitted(EXAMPLES[name], threat)
    second = logits.argsort(axis=1)[:, -2].astype("int32")
    z = run(attack, model, x, second if attack.targeted else labels).images
    inside = ops.convert_to_numpy(threat.contains(z, x))
    return inside & (forward(model, z, len(x)).argmax(axis=1) != labels)


def fitted(attack, threat):
    """The attack within another budget, which its steps grow or shrink with."""
    if getattr(attack, "threat", None) is None:
        return attack
    changes = {"threat": threat}
    if hasattr(attack, "step_size"):
        changes["step_size"] = attack.step_size * threat.eps / attack.threat.eps
    return dataclasses.replace(attack, **changes)


@functools.cache
def at_the_edge(folder, threat):
    """A model, its weights, and test images: images, labels, whether they are certified.

    Those certified by the smallest margins, and those answered rightly but furthest from a proof.
    """
    config = read(folder, "config.json")
    x, labels = read_images(config["dataset"], tuple(config["labels"]))
    # The model is of all releases of its architecture: attacks are compiled for it once.
    model, _ = net(config["architecture"], json.dumps(config["arguments"]))
    weights = robustzoo.load(folder).get_weights()
    model.set_weights(weights)
    asked, count, methods = EDGES.get(config["architecture"], (100, 2, METHODS))
    proof = certify(model, x[:asked], labels[:asked], threat, method=methods, cascade=True)
    sides = [np.flatnonzero(part) for part in (proof.certified, proof.correct & ~proof.certified)]
    # Where there are fewer some come twice, as compiled attacks are of one size of batch.
    rows = [np.resize(side[proof.margin[side].argsort()], count) for side in sides]
    rows = np.concatenate(rows)
    return model, weights, x[rows], labels[rows], proof.certified[rows]


@functools.cache
def read_images(dataset, classes):
    """The first test images, those of some classes, and their labels.

    `datasets.load` reads all that there are first, which takes seconds of every data set.
    """
    import tensorflow_datasets as tfds

    data, info = tfds.load(
        NAMES[dataset], split=f"test[:{READ}]", batch_size=-1, download=False, with_info=True
    )
    images, labels = (np.asarray(data[key]) for key in ("image", "label"))
    names = info.features["label"].names
    renumber = np.array([classes.index(n) if n in classes else -1 for n in names], "int32")
    kept = renumber[labels] >= 0
    return images[kept].astype("float32") / np.float32(255), renumber[labels[kept]]
