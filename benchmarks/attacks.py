"""Our attacks against their floor, Foolbox and ART: the same images, weights and parameters.

python -m benchmarks.attacks                     # everything
python -m benchmarks.attacks --only C&W          # one table
"""

import functools

import foolbox
import keras
import numpy as np
import tensorflow as tf

import robustzoo
from benchmarks.peers import of_art, of_foolbox
from benchmarks.timing import PEERS, finish, function, interleaved, options, report
from robustzoo.attacks import APGD, EAD, PGD, CarliniWagner, DeepFool, generate
from robustzoo.backend import compiled
from robustzoo.threats import Linf

BATCH, STEPS, STEP_SIZE, EPS = 128, 40, 0.01, 0.3
SEARCH = dict(searches=4, iterations=100, learning_rate=0.1, initial_c=1.0)  # of C&W
CLOSE = 1.01  # median size over that of the better peer
ELASTIC = dict(searches=4, iterations=100, learning_rate=0.05, initial_c=1.0, beta=0.01)


def main():
    tables = {
        f"PGD-{STEPS}": pgd,
        "C&W": carlini_wagner,
        "DeepFool": deepfool,
        "EAD": ead,
        "robust evaluation": robust_evaluation,
    }
    given = options("attacks against floor, Foolbox and ART", 3, 1.0, only=list(tables))
    tables[f"PGD-{STEPS}"] = functools.partial(pgd, rounds=given.rounds, seconds=given.seconds)
    test = robustzoo.datasets.load("mnist").test
    met = True
    for name, table in tables.items():
        if given.only in (None, name):
            met = table(test) and met
    finish(met)


def pgd(test, rounds, seconds):
    """PGD-40 against 40 compiled gradients."""
    model, x, y = robustzoo.load("trades-mnist"), *_first(test, BATCH)
    peer = foolbox.attacks.LinfPGD(abs_stepsize=STEP_SIZE, steps=STEPS, random_start=True)
    more = dict(norm=np.inf, eps=EPS, eps_step=STEP_SIZE, max_iter=STEPS, num_random_init=1)
    work = {
        f"{STEPS} gradients": _gradients(model, x, y),
        f"PGD-{STEPS}": _whole(PGD(Linf(EPS), STEP_SIZE, STEPS), model, x, y),
        "Foolbox": of_foolbox(model, peer, x, y, EPS),
        "ART": of_art(model, "ProjectedGradientDescentTensorFlowV2", x, y, **more),
    }
    title = f"PGD-{STEPS}, Linf {EPS}, {BATCH} images, trades-mnist"
    times, images = interleaved(work, rounds, seconds)
    facts = {name: _loss(model, z, y) for name, z in images.items() if z is not None}
    return report(title, times, f"{STEPS} gradients", facts, ("accuracy", "loss"))


def carlini_wagner(test):
    """C&W L2 with binary search."""
    theirs, more = _searches(SEARCH)
    peer = foolbox.attacks.L2CarliniWagnerAttack(stepsize=SEARCH["learning_rate"], **theirs)
    arts = "CarliniL2Method", more
    return _minimal("C&W", CarliniWagner(**SEARCH), peer, arts, test)


def deepfool(test):
    """DeepFool L2 over all classes."""
    peer = foolbox.attacks.L2DeepFoolAttack(steps=50, candidates=10, overshoot=0.02)
    more = dict(max_iter=50, epsilon=0.02, nb_grads=10)
    return _minimal("DeepFool", DeepFool(), peer, ("DeepFool", more), test)


def ead(test):
    """EAD by the elastic-net rule."""
    (theirs, more), beta = _searches(ELASTIC), ELASTIC["beta"]
    theirs |= dict(initial_stepsize=ELASTIC["learning_rate"], regularization=beta)
    peer = foolbox.attacks.EADAttack(decision_rule="EN", **theirs)
    arts = "ElasticNet", more | dict(beta=beta, decision_rule="EN")
    return _minimal("EAD", EAD(**ELASTIC), peer, arts, test)


def robust_evaluation(test):
    """The peers run PGD-100 with 10 restarts; we APGD on two losses, over what is left."""
    model, (x, y) = robustzoo.load("art-mnist"), _first(test, 100)
    attacks = {"APGD-CE": APGD(Linf(EPS)), "APGD-T": APGD(Linf(EPS), targets=3)}

    def ours():
        made = robustzoo.evaluate(model, (x, y), Linf(EPS), attacks, cascade=True, checks=False)
        return made.robust

    peer = foolbox.attacks.LinfPGD(abs_stepsize=STEP_SIZE, steps=100).repeat(10)
    peer_model = foolbox.TensorFlowModel(model, bounds=(0, 1))
    more = dict(norm=np.inf, eps=EPS, eps_step=STEP_SIZE, max_iter=100, num_random_init=10)

    def foolboxes():
        broken = peer(peer_model, tf.constant(x), tf.constant(y), epsilons=EPS)[2]
        return ~broken.numpy()

    art = of_art(model, "ProjectedGradientDescentTensorFlowV2", x, y, **more)
    work = {
        "robust evaluation": ours,
        "Foolbox": foolboxes,
        "ART": lambda: _classes(model, art()) == y,
    }
    times, left = interleaved(work, 1, 0.0, warm=())
    accuracy = {name: float(np.mean(robust)) for name, robust in left.items()}
    facts = {name: [f"{value:.3f}"] for name, value in accuracy.items()}
    title = "what PGD-100 with 10 restarts leaves of art-mnist, 100 images"
    fast = report(title, times, None, facts, ("accuracy",))
    return fast and accuracy["robust evaluation"] <= min(accuracy[peer] for peer in PEERS)


def _minimal(name, ours, of_peer, of_other, test):
    """One table for an attack that looks for the smallest change of 100 images.

    Each is called once, and we and Foolbox once before: ART, whose searches take minutes, compiles
    nothing.
    """
    model, (x, y) = robustzoo.load("trades-mnist"), _first(test, 100)
    other, more = of_other
    work = {
        name: lambda: generate(ours, model, x, y),
        "Foolbox": of_foolbox(model, of_peer, x, y),
        "ART": of_art(model, other, x, y, **more),
    }
    times, images = interleaved(work, 1, 0.0, warm=(name, "Foolbox"))
    found = {key: _norms(model, z, x, y) for key, z in images.items()}
    facts = {key: [f"{value:.4f}" for value in values] for key, values in found.items()}
    title = f"{name}, 100 images, trades-mnist"
    columns = "success", "median L2", "median L1", "median elastic net"
    fast = report(title, times, None, facts, columns)
    wanted = 3 if name == "EAD" else 1  # column of what the attack makes small
    most, least = max(found[p][0] for p in PEERS), min(found[p][wanted] for p in PEERS)
    return fast and found[name][0] >= most and found[name][wanted] <= CLOSE * least


def _searches(ours):
    """A search for c in the words of Foolbox and of ART."""
    same = dict(binary_search_steps=ours["searches"], initial_const=ours["initial_c"])
    rate = ours["learning_rate"]
    foolboxes = same | dict(steps=ours["iterations"])
    return foolboxes, same | dict(max_iter=ours["iterations"], learning_rate=rate)


def _first(test, count):
    return test.images[:count], test.labels[:count].astype("int64")


def _gradients(model, x, y):
    """The floor: 40 gradients of the summed cross-entropy, and nothing in between."""

    @function
    def gradient(z, y):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(z)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, model(z, training=False))
            loss = tf.reduce_sum(losses)
        return tape.gradient(loss, z)

    def call():
        z, labels = tf.constant(x), tf.constant(y)
        for _ in range(STEPS):
            last = gradient(z, labels)
        last.numpy()  # waits for an accelerator

    return call


def _whole(attack, model, x, y):
    """An attack in one graph, as `robustzoo.attacks.generate` runs PGD."""
    seeds = keras.random.SeedGenerator(0)
    call = compiled(lambda x, y: attack(model, x, y, seeds), [*model.variables, seeds.state])
    return lambda: call(tf.constant(x), tf.constant(y)).numpy()


def _classes(model, z):
    return np.argmax(model(z, training=False), -1)


def _loss(model, z, y):
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, model(z, training=False))
    return [f"{np.mean(_classes(model, z) == y):.3f}", f"{np.mean(losses):.2f}"]


def _norms(model, z, x, y):
    """Success and medians of L2, L1 and beta L1 + L2^2, judged alike for all.

    They are over all images, an image without example being infinitely far: else whoever gives up
    the hard ones would look better. Black is no example: Foolbox returns it where it finds none.
    """
    fooled = (_classes(model, z) != y) & z.any(axis=(1, 2, 3))
    change = (z - x).reshape(len(x), -1)
    l2, l1 = np.linalg.norm(change, axis=1), np.abs(change).sum(1)
    sizes = l2, l1, ELASTIC["beta"] * l1 + l2**2
    return [fooled.mean(), *(np.median(np.where(fooled, size, np.inf)) for size in sizes)]


if __name__ == "__main__":
    main()
