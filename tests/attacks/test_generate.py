import pytest
from tiny import numpy, tiny_batch, tiny_linear

from robustzoo.attacks import generate
from robustzoo.evaluation import evaluate
from robustzoo.threats import Linf


def nothing(model, x, y, seed):
    return None


def cropped(model, x, y, seed):
    return x[:, 2:]


def fewer(model, x, y, seed):
    return x[:1]


def logits(model, x, y, seed):
    return model(x)


def listed(model, x, y, seed):
    return [x]


@pytest.mark.parametrize(
    "attack, message",
    [
        (nothing, "NoneType from <function nothing"),
        (cropped, r"shape \(8, 6, 8, 3\) from <function cropped"),
        (fewer, r"shape \(1, 8, 8, 3\) from <function fewer"),
        (logits, r"shape \(8, 4\) from <function logits"),
        (listed, "list from <function listed"),
    ],
)
def test_what_returns_no_such_images_is_named(attack, message):
    model, x = tiny_linear(4), tiny_batch(8)[0]
    y = numpy(model(x)).argmax(1)  # all of them are attacked
    message = r"images shaped like .* \(8, 8, 8, 3\)\. Received: " + message
    with pytest.raises(ValueError, match=message):
        generate(attack, model, x, y)
    with pytest.raises(ValueError, match=message):
        evaluate(model, (x, y), Linf(0.1), {"own": attack}, checks=False)
