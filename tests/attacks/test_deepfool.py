import numpy as np
import pytest
from tiny import numpy, tiny_batch, tiny_classifier, tiny_linear

from robustzoo.attacks import DeepFool, run
from robustzoo.threats import L2, Linf


def predicted(model, x):
    return numpy(model(x)).argmax(1).astype("int32")


def inner_batch():
    """Images so far from 0 and 1 that the box does not matter."""
    return tiny_batch()[0] * 0.2 + 0.4


@pytest.mark.parametrize("norm", [L2, Linf])
@pytest.mark.parametrize("classes", [2, 4])
def test_smallest_change_of_a_linear_model(norm, classes):
    """min over k of |f_k| / ||w_k - w_y||_q with q = 2 in L2, 1 in Linf, times 1 + overshoot."""
    x, model = inner_batch(), tiny_linear(classes)
    y, logits = predicted(model, x), numpy(model(x))
    kernel = numpy(model.layers[-1].kernel)
    gap = kernel[None] - kernel.T[y][:, :, None]  # (B, n, L)
    dual = np.abs(gap).sum(1) if norm is Linf else np.sqrt((gap**2).sum(1))
    f = np.abs(logits - logits[np.arange(len(y)), y][:, None])
    with np.errstate(invalid="ignore"):
        smallest = np.nanmin(f / dual, axis=1)  # 0 / 0 at k = y
    outcome = run(DeepFool(norm), model, x, y)
    assert outcome.success.all()
    assert (predicted(model, outcome.images) != y).all()
    ratio = numpy(norm(0.0).distance(outcome.images, x)) / smallest
    assert ratio.min() > 0.999 and np.median(ratio) < 1.03


@pytest.mark.parametrize("norm", [L2, Linf])
def test_the_scale_of_the_logits_does_not_matter(norm):
    """The authors aim past the boundary by a distance, not by logits."""
    x, model, far = inner_batch(), tiny_linear(4), []
    y = predicted(model, x)
    for scale in (1.0, 1e-3):
        model.layers[-1].set_weights([scale * w for w in model.layers[-1].get_weights()])
        outcome = run(DeepFool(norm), model, x, y)
        assert outcome.success.all()
        far.append(numpy(norm(0.0).distance(outcome.images, x)))
    np.testing.assert_allclose(far[1], far[0], rtol=1e-3)


def test_only_the_largest_classes_are_rivals():
    """Class 3 is nearest, as its weights differ most; class 2 has the larger clean logit."""
    x, model = inner_batch(), tiny_linear(4)
    kernel = np.zeros((192, 4), "float32")
    kernel[0, 3] = 10.0
    kernel[1, 2] = 1.0
    model.layers[-1].kernel.assign(kernel)
    x[:, 0, 0, :2] = 0.5
    model.layers[-1].bias.assign([1.4, 0.0, 0.5, -4.2])  # logits 1.4, 0, 1.0, 0.8
    y = np.zeros(32, "int32")
    for classes, reached in ((2, 2), (3, 3), (4, 3)):
        z = run(DeepFool(Linf, classes=classes), model, x, y).images
        np.testing.assert_array_equal(predicted(model, z), reached)


def test_misclassified_images_stay_and_successes_are_real():
    x, model = tiny_batch()[0], tiny_classifier()
    y = predicted(model, x)
    y[::2] = (y[::2] + 1) % 4
    outcome = run(DeepFool(steps=20), model, x, y)
    assert outcome.success[::2].all()
    np.testing.assert_array_equal(outcome.images[::2], x[::2])
    np.testing.assert_array_equal(predicted(model, outcome.images) != y, outcome.success)
    assert outcome.success[1::2].any()


def test_no_gradient_is_a_failure_that_returns_the_clean_image():
    x, model = tiny_batch(4)[0], tiny_linear(4)
    model.layers[-1].kernel.assign(np.zeros(model.layers[-1].kernel.shape))
    model.layers[-1].bias.assign([1.0, 0.0, 0.0, 0.0])
    for norm in (L2, Linf):
        outcome = run(DeepFool(norm, steps=3), model, x, np.zeros(4, "int32"))
        assert not outcome.success.any()
        np.testing.assert_array_equal(outcome.images, x)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"norm": L2(0.1)}, "norm must be the class L2 or Linf"),
        ({"steps": 0}, "steps must be an integer >= 1"),
        ({"classes": 1}, "classes must be an integer >= 2"),
        ({"overshoot": -1.0}, "overshoot must be a finite number >= 0"),
        ({"overshoot": float("nan")}, "overshoot must be .* Received: overshoot=nan"),
        ({"overshoot": float("inf")}, "overshoot must be .* Received: overshoot=inf"),
        ({"overshoot": "1"}, "overshoot must be .* Received: overshoot='1'"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        DeepFool(**options)
