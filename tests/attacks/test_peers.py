"""The same attacks in Foolbox and ART, on one Keras model. TensorFlow, the backend they know."""

import keras
import numpy as np
import pytest
from tiny import tiny_batch, tiny_classifier

from robustzoo.attacks import EAD, CarliniWagner, DeepFool, bim, fgsm, generate
from robustzoo.threats import Linf

pytestmark = [
    pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the peers know TensorFlow"),
    pytest.mark.filterwarnings("ignore"),  # of what the peers import
]
EPS, STEP, STEPS = 0.1, 0.02, 20
SEARCH = {"searches": 4, "iterations": 60, "initial_c": 1.0}


@pytest.fixture(scope="module")
def scene():
    """A model, and images with the labels that it gives them."""
    model, (x, _) = tiny_classifier(), tiny_batch(24)
    return model, x, keras.ops.convert_to_numpy(model(x)).argmax(1)


def of_foolbox(scene, attack, **budget):
    import foolbox
    import tensorflow as tf

    model, x, y = scene
    peer = foolbox.TensorFlowModel(model, bounds=(0, 1))
    return attack(foolbox.attacks).run(peer, tf.constant(x), tf.constant(y), **budget).numpy()


def of_art(scene, name, **options):
    from art.attacks import evasion
    from art.estimators.classification import TensorFlowV2Classifier

    model, x, y = scene
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    peer = TensorFlowV2Classifier(model, 4, x.shape[1:], loss, clip_values=(0.0, 1.0))
    attack = getattr(evasion, name)(peer, batch_size=len(x), **options)
    return attack.generate(x, np.eye(4, dtype="float32")[y])


def test_fgsm_is_bitwise_theirs(scene):
    ours = generate(fgsm(Linf(EPS)), *scene)
    theirs = of_foolbox(scene, lambda a: a.LinfFastGradientAttack(random_start=False), epsilon=EPS)
    np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(ours, of_art(scene, "FastGradientMethod", norm=np.inf, eps=EPS))


def test_bim_is_bitwise_theirs(scene):
    ours = generate(bim(Linf(EPS), STEP, STEPS), *scene)
    more = {"abs_stepsize": STEP, "steps": STEPS, "random_start": False}
    theirs = of_foolbox(scene, lambda a: a.LinfBasicIterativeAttack(**more), epsilon=EPS)
    np.testing.assert_array_equal(ours, theirs)
    more = {"eps": EPS, "eps_step": STEP, "max_iter": STEPS, "verbose": False}
    np.testing.assert_array_equal(ours, of_art(scene, "BasicIterativeMethod", **more))


def measured(scene, z, size):
    """Success, and the median size over all images; one without success is infinitely far.

    Black is no success: Foolbox returns it where it finds nothing.
    """
    model, x, y = scene
    fooled = (keras.ops.convert_to_numpy(model(z)).argmax(1) != y) & z.any(axis=(1, 2, 3))
    return fooled.mean(), np.median(np.where(fooled, size((z - x).reshape(len(x), -1)), np.inf))


def euclidean(change):
    return np.linalg.norm(change, axis=1)


def elastic(change):
    return 0.01 * np.abs(change).sum(1) + (change**2).sum(1)


def foolbox_search(**more):
    return {
        "binary_search_steps": SEARCH["searches"],
        "steps": SEARCH["iterations"],
        "initial_const": SEARCH["initial_c"],
        **more,
    }


def art_search(rate, **more):
    return {
        "binary_search_steps": SEARCH["searches"],
        "max_iter": SEARCH["iterations"],
        "initial_const": SEARCH["initial_c"],
        "learning_rate": rate,
        "verbose": False,
        **more,
    }


@pytest.mark.parametrize("name", ["DeepFool", "C&W", "EAD"])
def test_smallest_changes_are_no_larger_than_theirs(scene, name):
    """Success no lower, and the median no higher x 1.01, than the better of the two."""
    size = elastic if name == "EAD" else euclidean
    if name == "DeepFool":
        ours = DeepFool(classes=4)
        theirs = of_foolbox(scene, lambda a: a.L2DeepFoolAttack(steps=50, candidates=4))
        others = of_art(scene, "DeepFool", max_iter=50, epsilon=0.02, nb_grads=4, verbose=False)
    elif name == "C&W":
        ours = CarliniWagner(learning_rate=0.1, **SEARCH)
        more = foolbox_search(stepsize=0.1)
        theirs = of_foolbox(scene, lambda a: a.L2CarliniWagnerAttack(**more))
        others = of_art(scene, "CarliniL2Method", **art_search(0.1))
    else:
        ours = EAD(beta=0.01, learning_rate=0.05, **SEARCH)
        more = foolbox_search(initial_stepsize=0.05, regularization=0.01, decision_rule="EN")
        theirs = of_foolbox(scene, lambda a: a.EADAttack(**more))
        others = of_art(scene, "ElasticNet", **art_search(0.05, beta=0.01, decision_rule="EN"))
    success, median = measured(scene, generate(ours, *scene), size)
    peers = [measured(scene, z, size) for z in (theirs, others)]
    assert success >= max(rate for rate, _ in peers)
    assert median <= 1.01 * min(size for _, size in peers) and np.isfinite(median)
