"""What mixup minimises, by hand, and where it becomes plain training."""

import keras
import numpy as np
import pytest
from tiny import numpy, tiny_batch, tiny_classifier, tiny_linear

from robustzoo.attacks import fgsm
from robustzoo.defenses import MixupTraining, base
from robustzoo.losses import cross_entropy
from robustzoo.threats import Linf

X, Y = tiny_batch(16)


def losses(defense, x=X, x_adv=X, y=Y):
    return numpy(defense.objective(x, x_adv, y)[0])


def test_is_the_cross_entropy_with_the_mixed_label():
    """A linear net mixes as its images do, so the loss can be written in clean logits."""
    defense = MixupTraining(tiny_linear(4), seed=3)
    seeds = keras.random.SeedGenerator(3)
    order = np.argsort(numpy(keras.random.uniform((16,), seed=seeds)))
    share = numpy(keras.random.uniform((16,), seed=seeds))[:, None]
    z, target = numpy(defense.classifier(X)), np.eye(4)[Y]
    mixed = share * z + (1 - share) * z[order]
    soft = share * target + (1 - share) * target[order]
    expected = -(soft * numpy(keras.ops.log_softmax(mixed))).sum(axis=1)
    np.testing.assert_allclose(losses(defense), expected, rtol=1e-4)
    assert 0 < share.min() < 0.2 and 0.8 < share.max() < 1


def test_iat_takes_half_of_the_adversarial_images():
    """Where all images and labels are one, mixing changes nothing."""
    x, y = np.repeat(X[:1], 8, axis=0), np.repeat(Y[:1], 8)
    x_adv = np.clip(x + 0.1, 0, 1)
    model = tiny_linear(4)
    clean, bad = (numpy(cross_entropy(y, model(z))) for z in (x, x_adv))
    plain, iat = MixupTraining(model), MixupTraining(model, fgsm(Linf(0.1)))
    np.testing.assert_allclose(losses(plain, x, x_adv, y), clean, rtol=1e-4)
    np.testing.assert_allclose(losses(iat, x, x_adv, y), (clean + bad) / 2, rtol=1e-4)


def test_shares_follow_beta():
    for alpha, variance in ((1.0, 1 / 12), (0.4, 0.25 / 1.8), (4.0, 0.25 / 9)):
        shares = numpy(MixupTraining(tiny_linear(4), alpha=alpha)._shares(20_000))
        assert shares.mean() == pytest.approx(0.5, abs=0.01)
        assert shares.var() == pytest.approx(variance, rel=0.05)


def test_compiles_where_xla_is_asked_for_by_default(monkeypatch):
    """As on an accelerator: TensorFlow's XLA knows no Beta distribution."""
    monkeypatch.setattr(base, "accelerated", lambda: True)
    x, y = tiny_batch()
    defense = MixupTraining(tiny_classifier(), alpha=0.2)
    defense.compile(keras.optimizers.SGD(0.1))
    assert np.isfinite(defense.fit(x, y, verbose=0).history["loss"][0])


def test_a_batch_of_one_is_mixed_with_itself():
    model = tiny_linear(4)
    expected = numpy(cross_entropy(Y[:1], model(X[:1])))
    np.testing.assert_allclose(losses(MixupTraining(model), X[:1], X[:1], Y[:1]), expected, 1e-4)


def test_refuses_alpha_zero():
    with pytest.raises(ValueError, match="alpha must be a finite number > 0. Received: alpha=0"):
        MixupTraining(tiny_linear(4), alpha=0)
