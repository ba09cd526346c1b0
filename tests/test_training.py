"""What the trainer is made of: batches, schedules, stages, the choice of an epoch."""

import keras
import numpy as np
import pytest

from robustzoo import zoo
from robustzoo.datasets import Split
from robustzoo.threats import Linf
from training import schedules
from training.augment import crop_flip
from training.batches import batches
from training.left_by import left_by
from training.train import best_epoch


def test_what_a_stage_certifies_is_not_left(monkeypatch):
    """Of its own answer, right or wrong: class 1 where the pixel is above 1/2, within 0.1."""
    model = keras.Sequential(
        [keras.Input((1, 1, 1)), keras.layers.Flatten(), keras.layers.Dense(2)]
    )
    model.set_weights([np.array([[0.0, 1.0]]), np.array([0.0, -0.5])])
    asked = []
    monkeypatch.setattr(zoo, "load", lambda name: asked.append(name) or model)
    pixels = np.array([30, 110, 150, 250], "uint8").reshape(-1, 1, 1, 1)
    split = left_by(("a", "b"), Split(pixels, np.array([1, 1, 0, 0], "int32")), Linf(0.1))
    assert split.pixels.ravel().tolist() == [110, 150] and split.labels.tolist() == [1, 0]
    assert asked == ["a", "b"]
    assert not len(left_by(("a", "b"), split.take([]), Linf(0.1)))


@pytest.mark.parametrize(("values", "best"), [((0, 0, 0), 3), ((0, 3, 3), 2), ((2, 1, 0), 1)])
def test_the_best_epoch_is_the_first_unless_none_is_any_good(values, best):
    curve = [{"epoch": k + 1, "val_accuracy": value} for k, value in enumerate(values)]
    assert best_epoch(curve, "val_accuracy") == best


def test_batches_depend_on_seed_epoch_and_number_alone():
    pixels = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 1)).astype("uint8")
    split = Split(pixels, np.arange(20, dtype="int32"))
    whole = list(batches(split, 4, crop_flip, seed=1, epoch=2))
    tail = list(batches(split, 4, crop_flip, seed=1, epoch=2, first=3))
    assert len(whole) == 5 and len(tail) == 2
    for (x, y), (again, labels) in zip(whole[3:], tail, strict=True):
        np.testing.assert_array_equal(x, again)
        np.testing.assert_array_equal(y, labels)
    assert sorted(np.concatenate([y for _, y in whole])) == list(range(20))
    other = next(batches(split, 4, crop_flip, seed=1, epoch=3))
    assert not np.array_equal(other[1], whole[0][1])


def test_crop_flip_without_padding_only_mirrors():
    images = np.random.default_rng(0).integers(0, 256, (50, 6, 5, 3)).astype("uint8")
    out = crop_flip(images, np.random.default_rng(1), pad=0)
    same = (out == images).all((1, 2, 3))
    mirrored = (out == images[:, :, ::-1]).all((1, 2, 3))
    assert (same | mirrored).all() and 0 < mirrored.sum() < 50
    assert crop_flip(images, np.random.default_rng(1)).shape == images.shape


def test_one_cycle_is_a_triangle():
    rate = schedules.one_cycle(steps=99, peak=2.0, rise=0.4)
    np.testing.assert_allclose(float(rate(39)), 2.0, rtol=1e-6)
    np.testing.assert_allclose(float(rate(19)), 1.0, rtol=1e-6)
    np.testing.assert_allclose(float(rate(69)), 1.0, rtol=1e-6)


def test_cosine_and_piecewise_by_hand():
    np.testing.assert_allclose(float(schedules.cosine(100, 1.0)(50)), 0.5, rtol=1e-5)
    np.testing.assert_allclose(float(schedules.cosine(100, 1.0, warmup=0.2)(10)), 0.5, rtol=1e-5)
    rate = schedules.piecewise(100, 1.0, at=(0.5, 0.75))
    np.testing.assert_allclose([float(rate(s)) for s in (0, 60, 90)], [1, 0.1, 0.01], rtol=1e-5)
