"""TRADES and Madry train steps against the same gradients written by hand.

python -m benchmarks.training
"""

import keras
import numpy as np
import tensorflow as tf

from benchmarks.timing import finish, function, interleaved, options, report
from robustzoo.architectures import small_cnn
from robustzoo.attacks import PGD
from robustzoo.defenses import MadryTraining, Trades
from robustzoo.threats import Linf

BATCH, STEPS, STEP_SIZE, EPS, BETA = 128, 10, 0.01, 0.3, 6.0


def main():
    given = options("train steps with PGD-10 against their floors", rounds=9, seconds=1.0)
    x, y, z = batch()
    madry = MadryTraining(small_cnn(), PGD(Linf(EPS), STEP_SIZE, STEPS))
    trades = Trades(small_cnn(), PGD(Linf(EPS), STEP_SIZE, STEPS, start="gaussian"), beta=BETA)
    for defense in (madry, trades):
        defense.compile(sgd())
    met = True
    for name, defense, floor in (
        ("Madry step", madry, madry_floor(x, y, z)),
        ("TRADES step", trades, trades_floor(x, y, z)),
    ):
        work = {"floor": floor, name: lambda defense=defense: defense.train_on_batch(x, y)}
        times, _ = interleaved(work, given.rounds, given.seconds)
        met &= report(f"{name}, PGD-{STEPS}, {BATCH} images, small_cnn", times, "floor")
    finish(met)


def batch():
    """Images (B, 28, 28, 1), labels, and images that stand for adversarial ones."""
    rng = np.random.default_rng(0)
    x = rng.random((BATCH, 28, 28, 1), "float32")
    z = np.clip(x + rng.uniform(-EPS, EPS, x.shape), 0, 1).astype("float32")
    return x, rng.integers(0, 10, BATCH).astype("int32"), z


def sgd():
    """A fresh optimizer, the same for all."""
    return keras.optimizers.SGD(0.01, momentum=0.9)


def madry_floor(x, y, z):
    """k gradients of the cross-entropy and one ordinary train step on the adversarial images."""
    model, optimizer = small_cnn(), sgd()
    gradient = function(_input_gradient(model, _cross_entropy))
    step = function(
        _train_step(model, optimizer, lambda y, z: _cross_entropy(y, model(z, training=True)))
    )

    def run():
        labels, adversarial = tf.constant(y), tf.constant(z)
        for _ in range(STEPS):
            gradient(adversarial, labels)
        return float(step(labels, adversarial))

    return run


def trades_floor(x, y, z):
    """One forward, k gradients of the divergence, one step on clean and adversarial images."""
    model, optimizer = small_cnn(), sgd()
    predict = function(lambda x: model(x, training=False))
    gradient = function(_input_gradient(model, _divergence))

    def losses(x, y, z):
        clean, adversarial = model(x, training=True), model(z, training=True)
        return _cross_entropy(y, clean) + BETA * _divergence(clean, adversarial)

    step = function(_train_step(model, optimizer, losses))

    def run():
        images, labels, adversarial = tf.constant(x), tf.constant(y), tf.constant(z)
        target = predict(images)
        for _ in range(STEPS):
            gradient(adversarial, target)
        return float(step(images, labels, adversarial))

    return run


def _input_gradient(model, loss):
    def gradient(z, y):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(z)
            total = tf.reduce_sum(loss(y, model(z, training=False)))
        return tape.gradient(total, z)

    return gradient


def _train_step(model, optimizer, losses):
    optimizer.build(model.trainable_variables)

    def step(*data):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(losses(*data))
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        return loss

    return step


def _cross_entropy(y, logits):
    return tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits)


def _divergence(logits_p, logits_q):
    log_p, log_q = tf.nn.log_softmax(logits_p), tf.nn.log_softmax(logits_q)
    return tf.reduce_sum(tf.exp(log_p) * (log_p - log_q), -1)


if __name__ == "__main__":
    main()
