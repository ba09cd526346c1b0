"""The defense ADP: its objective, what it does to the members, and random budgets."""

import keras
import numpy as np
import pytest
from keras import ops

from robustzoo.architectures import ensemble
from robustzoo.attacks import PGD, fgsm
from robustzoo.defenses import AdaptiveDiversity, RandomEps
from robustzoo.losses import adp, cross_entropy, log_diversity
from robustzoo.threats import Linf
from tests.tiny import numpy, tiny_batch, tiny_classifier, values


def trio():
    return ensemble([tiny_classifier(seed=k) for k in range(3)])


def diversity(model, x, y):
    logits = keras.Model(model.input, model.layers[-1].input)(x)
    return numpy(log_diversity(y, logits)).mean()


def test_objective_by_hand():
    x, y = tiny_batch()
    x_adv = np.clip(x + 0.05, 0, 1)
    members = [tiny_classifier(seed=k) for k in range(3)]
    model = ensemble(members)
    model.trainable = False  # BatchNorm in inference mode, so that logits can be compared
    clean, bad = (ops.stack([member(z) for member in members], axis=1) for z in (x, x_adv))
    plain = AdaptiveDiversity(model, alpha=1.0, beta=0.2)
    losses, logits, none = plain.objective(x, x, y)
    np.testing.assert_allclose(numpy(losses), numpy(adp(y, clean, 1.0, 0.2)), rtol=1e-4)
    np.testing.assert_allclose(numpy(logits), numpy(model(x)), atol=1e-5)
    assert none is None
    trained = AdaptiveDiversity(model, fgsm(Linf(0.1)), alpha=1.0, beta=0.2)
    losses, _, logits = trained.objective(x, x_adv, y)
    both = numpy(adp(y, clean, 1.0, 0.2)) + numpy(adp(y, bad, 1.0, 0.2))
    np.testing.assert_allclose(numpy(losses), both, rtol=1e-4)
    np.testing.assert_allclose(numpy(logits), numpy(model(x_adv)), atol=1e-5)


def test_baseline_is_the_members_cross_entropies_with_their_smoothing():
    x, y = tiny_batch()
    members = [tiny_classifier(seed=k) for k in range(2)]
    model = ensemble(members)
    model.trainable = False
    defense = AdaptiveDiversity(model, alpha=0.0, beta=0.0, label_smoothing=0.1)
    expected = sum(numpy(cross_entropy(y, member(x), 0.1)) for member in members)
    np.testing.assert_allclose(numpy(defense.objective(x, x, y)[0]), expected, rtol=1e-4)


def test_members_become_more_diverse_than_without_and_stay_accurate():
    x, y = tiny_batch(128)
    found = {}
    for weights in ((0.0, 0.0), (1.0, 0.5)):
        model = trio()
        defense = AdaptiveDiversity(model, alpha=weights[0], beta=weights[1])
        defense.compile(keras.optimizers.Adam(0.02))
        history = defense.fit(x, y, batch_size=32, epochs=15, verbose=0).history
        assert history["loss"][-1] < history["loss"][0]
        found[weights] = diversity(model, x, y), history["accuracy"][-1]
    (plain, _), (diverse, accuracy) = found.values()
    assert diverse > plain + 1.0
    assert accuracy > 0.5


def test_every_member_moves_and_one_member_is_enough():
    x, y = tiny_batch()
    for model in (trio(), ensemble([tiny_classifier()])):
        before = values(model)
        defense = AdaptiveDiversity(model, PGD(Linf(0.02), 0.01, steps=2), average_decay=0.9)
        defense.compile(keras.optimizers.SGD(0.1))
        defense.fit(x, y, verbose=0)
        moved = [
            np.abs(old - new).max() > 0 for old, new in zip(before, values(model), strict=True)
        ]
        assert all(moved)
        assert len({id(v) for v in defense.trainable_variables}) == len(defense.trainable_variables)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: AdaptiveDiversity(tiny_classifier()), "must be an ensemble"),
        (
            lambda: AdaptiveDiversity(trio(), alpha=-1.0),
            "finite number >= 0. Received: alpha=-1",
        ),
        (
            lambda: AdaptiveDiversity(trio(), beta=-1.0),
            "finite number >= 0. Received: beta=-1",
        ),
        (lambda: RandomEps(fgsm(Linf(0.1)), least=1.5), "least must lie"),
    ],
)
def test_refuses(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_random_eps_draws_one_budget_per_call():
    x, y = tiny_batch()
    attack, model = RandomEps(fgsm(Linf(0.05)), least=0.2), tiny_classifier()
    seeds = keras.random.SeedGenerator(0)
    sizes = []
    for _ in range(20):
        change = np.abs(numpy(attack(model, x, y, seeds)) - x)
        assert (change < 0.05 + 1e-6).all()
        largest = change.max(axis=(1, 2, 3))
        np.testing.assert_allclose(largest, largest[0], rtol=1e-3)
        sizes.append(largest[0])
    assert 0.01 <= min(sizes) < 0.02 and 0.04 < max(sizes) <= 0.05 + 1e-6


def test_random_eps_trains_and_grows_over_a_warmup():
    x, y = tiny_batch()
    attack = RandomEps(PGD(Linf(0.05), 0.005, steps=2), least=0.2)
    judge = PGD(Linf(0.05), 0.02, steps=3)
    defense = AdaptiveDiversity(trio(), attack, warmup_steps=4, validation_attack=judge)
    defense.compile(keras.optimizers.Adam(0.01))
    history = defense.fit(x, y, batch_size=16, epochs=5, verbose=0, validation_data=(x, y)).history
    assert history["loss"][-1] < history["loss"][0]
    assert history["val_robust_accuracy"][-1] <= history["val_accuracy"][-1]
