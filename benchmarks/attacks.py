"""PGD-40 against 40 compiled input gradients, Foolbox and ART, on one batch of MNIST.

python -m benchmarks.attacks
"""

import foolbox
import keras
import numpy as np
import tensorflow as tf
from art.attacks.evasion import ProjectedGradientDescentTensorFlowV2
from art.estimators.classification import TensorFlowV2Classifier

import robustzoo
from benchmarks.timing import finish, function, interleaved, options, report
from robustzoo.attacks import PGD
from robustzoo.backend import compiled
from robustzoo.threats import Linf
from robustzoo.zoo.locate import CHECKOUT

BATCH, STEPS, STEP_SIZE, EPS = 128, 40, 0.01, 0.3


def main():
    given = options("PGD-40 against its floor, Foolbox and ART", rounds=7, seconds=1.0)
    data = robustzoo.datasets.load("mnist")
    model, weights = classifier(data.train)
    x, y = data.test.images[:BATCH], data.test.labels[:BATCH]
    work = {
        f"{STEPS} gradients": gradients(model, x, y),
        "PGD-40": ours(model, x, y),
        "Foolbox LinfPGD": of_foolbox(model, x, y),
        "ART PGD": of_art(model, x, y),
    }
    times = interleaved(work, given.rounds, given.seconds)
    images = {name: call() for name, call in work.items()}
    finish(
        report(
            f"PGD-{STEPS}, Linf {EPS}, {BATCH} images, small_cnn ({weights})",
            times,
            f"{STEPS} gradients",
            {name: _facts(model, z, y) for name, z in images.items() if z is not None},
            ("accuracy", "loss"),
        )
    )


def classifier(train):
    """Returns trades-mnist if it is there, else a small_cnn trained on 100 batches."""
    folder = CHECKOUT / "trades-mnist"
    if folder.is_dir():
        return robustzoo.load(folder), folder.name
    keras.utils.set_random_seed(0)
    model = robustzoo.architectures.build("small_cnn", {})
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, jit_compile=False)
    part = train.sample(100 * BATCH)
    model.fit(part.images, part.labels, BATCH, verbose=0)
    return model, "standard training"


def gradients(model, x, y):
    """The floor: 40 gradients of the summed cross-entropy, and nothing in between."""

    @function
    def gradient(z, y):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(z)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, model(z, training=False))
            loss = tf.reduce_sum(losses)
        return tape.gradient(loss, z)

    def run():
        z, labels = tf.constant(x), tf.constant(y)
        for _ in range(STEPS):
            last = gradient(z, labels)
        last.numpy()  # waits for an accelerator

    return run


def ours(model, x, y):
    """robustzoo, as `robustzoo.attacks.generate` runs it."""
    attack = PGD(Linf(EPS), STEP_SIZE, STEPS)
    seeds = keras.random.SeedGenerator(0)
    run = compiled(lambda x, y: attack(model, x, y, seeds), [*model.variables, seeds.state])
    return lambda: run(tf.constant(x), tf.constant(y)).numpy()


def of_foolbox(model, x, y):
    """Foolbox; `run` and not `__call__`, which would also measure the attack's success."""
    peer = foolbox.TensorFlowModel(model, bounds=(0, 1))
    attack = foolbox.attacks.LinfPGD(abs_stepsize=STEP_SIZE, steps=STEPS, random_start=True)
    return lambda: attack.run(peer, tf.constant(x), tf.constant(y), epsilon=EPS).numpy()


def of_art(model, x, y):
    """ART, on true labels."""
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    peer = TensorFlowV2Classifier(model, 10, x.shape[1:], loss, clip_values=(0.0, 1.0))
    attack = ProjectedGradientDescentTensorFlowV2(
        peer,
        norm=np.inf,
        eps=EPS,
        eps_step=STEP_SIZE,
        max_iter=STEPS,
        num_random_init=1,
        batch_size=BATCH,
        verbose=False,
    )
    return lambda: attack.generate(x, y)


def _facts(model, z, y):
    logits = model(z, training=False)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits)
    accuracy = np.mean(np.argmax(logits, -1) == y)
    return [f"{accuracy:.3f}", f"{np.mean(losses):.2f}"]


if __name__ == "__main__":
    main()
