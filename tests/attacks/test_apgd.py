import keras
import numpy as np
import pytest
from keras import ops
from tiny import numpy, tiny_batch, tiny_classifier, tiny_linear

from robustzoo import losses
from robustzoo.attacks import APGD, _apgd_halving, run
from robustzoo.backend import compiled
from robustzoo.threats import L1, L2, Linf

THREATS = {"linf": Linf(0.3), "l2": L2(0.6), "l1": L1(1.5)}


def trace(attack, model, state, x, y, steps):
    """The states after each step, compiled once."""
    x, y = ops.convert_to_tensor(x), ops.convert_to_tensor(y)
    step = compiled(lambda state: attack.step(model, state, x, y), [])
    states = []
    for _ in range(steps):
        state = step(state)
        states.append({name: numpy(value) for name, value in state.items()})
    return states


def test_checkpoints_of_a_hundred_steps():
    at = [step for step, _ in _apgd_halving.checkpoints(100)]
    assert at == [22, 41, 57, 70, 80, 87, 93, 99]


class Script:
    """One pixel whose loss, slope and class are told beforehand, call by call."""

    def __init__(self, told, slopes, wrong):
        self.told, self.slopes, self.wrong, self.call = told, slopes, wrong, 0

    def __call__(self, z):
        self.first = 0.0 if self.call in self.wrong else 9.0
        pixel = ops.reshape(z, (-1, 1))
        return ops.concatenate([0.0 * pixel + self.first, 0.0 * pixel + 5.0, pixel], axis=-1)

    def loss(self, y, logits):
        told, slope = self.told[self.call], self.slopes[self.call]
        self.call += 1
        return told + slope * (logits[:, 2] - ops.stop_gradient(logits[:, 2]))


def test_scripted_trace():
    """N = 20 has checkpoints at 4, 7, 9, 10, ...; all numbers below were computed by hand.

    At 4 the loss rose in 3 of 4 steps: halved, back to the peak of step 1. At 7 it rose in 3 of 3;
    the peak is no higher, but the step was halved at 4: it stays. At 9 it rose in 2 of 2, the
    peak is still no higher, and the step was not halved at 7: halved, back to the peak.
    """
    script = Script(
        told=[0.0, 1.0, 0.5, 0.75, 0.8, 0.85, 0.9, 0.95, 0.97, 0.99, 1.5],
        slopes=[1, -1, 1, -1, 1, 1, 1, -1, -1, 1, 1],
        wrong=[1, 5, 8],
    )
    attack = APGD(Linf(0.25), steps=20, loss=script.loss)
    x = ops.full((1, 1, 1, 1), 0.5)
    y = ops.zeros((1,), "int32")
    state = attack.begin(script, x, y, 0, 0) | {"z": x}
    places, etas, founds = [], [], []
    for _ in range(11):
        places.append(numpy(state["z"]).item())
        state = attack.step(script, state, x, y)
        etas.append(numpy(state["eta"]).item())
        founds.append((numpy(state["success"]).item(), numpy(state["best"]).item()))
    assert etas == [0.5] * 4 + [0.25] * 5 + [0.125] * 2
    z5, z8 = 0.6015625, 0.5810546875
    assert places == [
        0.5,
        0.75,
        0.4375,  # .75 + .75 (.25 - .75) + .25 (.75 - .5)
        0.59375,  # .4375 + .75 (.75 - .4375) + .25 (.4375 - .75)
        0.375,  # .59375 + .75 (.25 - .59375) + .25 (.59375 - .4375)
        z5,  # from .75: .75 + .75 (.5 - .75) + .25 (.75 - .59375)
        0.67578125,  # z5 + .75 (.75 - z5) + .25 (z5 - .75)
        0.75,
        z8,  # .75 + .75 (.5 - .75) + .25 (.75 - .67578125)
        0.351318359375,  # z8 + .75 (z8 - .25 - z8) + .25 (z8 - .75)
        0.698486328125,  # from .75: .75 + .75 (.625 - .75) + .25 (.75 - z8)
    ]
    assert founds == [(False, 0.5)] + [(True, 0.75)] * 4 + [(True, z5)] * 3 + [(True, z8)] * 3
    assert numpy(state["value"]).item() == pytest.approx(0.97)


class Reference:
    """APGD once more: plain NumPy in double precision, one example, written from the papers."""

    def __init__(self, weights, x, y, norm, eps):
        self.weights, self.x, self.y, self.norm, self.eps = weights, x, y, norm, eps

    def loss(self, z):
        first, second = self.weights
        hidden = np.tanh(first.T @ z)
        logits = second.T @ hidden
        odds = np.exp(logits - logits.max())
        odds /= odds.sum()
        error = odds - np.eye(len(odds))[self.y]
        slope = first @ ((1 - hidden**2) * (second @ error))
        return -np.log(odds[self.y]), slope, logits.argmax() != self.y

    def project(self, z):
        d = z - self.x
        if self.norm == "linf":
            return np.clip(self.x + np.clip(d, -self.eps, self.eps), 0, 1)
        if self.norm == "l2":
            return np.clip(self.x + d * min(1, self.eps / np.linalg.norm(d)), 0, 1)
        room, low, high = np.where(d > 0, 1 - self.x, self.x), 0.0, np.abs(d).max()
        if np.minimum(np.abs(d), room).sum() <= self.eps:
            return self.x + np.sign(d) * np.minimum(np.abs(d), room)
        for _ in range(100):
            middle = (low + high) / 2
            kept = np.clip(np.abs(d) - middle, 0, room)
            low, high = (middle, high) if kept.sum() > self.eps else (low, middle)
        return self.x + np.sign(d) * kept

    def dense(self, start):
        """Linf and L2, 100 steps."""
        checkpoints = [0, 22, 41, 57, 70, 80, 87, 93, 99]
        path, history, eta = [start], [], 2 * self.eps
        current, before = start, start
        fmax, halvings = -np.inf, []
        for k in range(101):
            value, slope, _ = self.loss(path[k])
            history.append(value)
            current = path[k]
            if value > fmax:
                fmax, top, top_slope = value, current, slope
            if k in checkpoints[1:]:
                last = checkpoints[checkpoints.index(k) - 1]
                rises = sum(history[i + 1] > history[i] for i in range(last, k))
                steady = last > 0 and last not in halvings and max(history[: last + 1]) == fmax
                if rises <= 0.75 * (k - last) or steady:
                    halvings.append(k)
                    eta, current, slope = eta / 2, top, top_slope
            unit = np.sign(slope) if self.norm == "linf" else slope / np.linalg.norm(slope)
            pushed = self.project(current + eta * unit)
            if k > 0:
                pushed = self.project(current + 0.75 * (pushed - current) + (current - before) / 4)
            before = current
            path.append(pushed)
        return path[:-1], halvings

    def sparse(self, start, steps=100, going_on=False):
        """L1."""
        size, window = len(self.x), max(4 * steps // 100, 1)
        path, eta, share, support = [start], self.eps, 0.2, size
        if going_on:
            support = (np.abs(start - self.x) > 1e-9).sum()
            share = support / size / 1.5
        fmax, resets = -np.inf, []
        for k in range(steps + 1):
            value, slope, _ = self.loss(path[k])
            current = path[k]
            if value > fmax:
                fmax, self.top, top_slope = value, current, slope
            if k > 0 and k % window == 0:
                changed = (np.abs(self.top - self.x) > 1e-9).sum()
                share, fewer = changed / size / 1.5, changed / support < 0.95
                support = changed
                eta = self.eps if fewer else max(eta / 1.5, self.eps / 10)
                if fewer:
                    resets.append(k)
                    current, slope = self.top, top_slope
            moving = size - min(int((1 - share) * size + 1e-9), size - 1)
            order = np.argsort(-np.abs(slope))[:moving]
            step = np.zeros(size)
            step[order] = np.sign(slope[order]) / moving
            path.append(self.project(current + eta * step))
        return path[:-1], resets

    def shrinking(self, start, steps):
        """L1 within 3, 2 and 1 eps; every point it looks at."""
        eps, path, large = self.eps, [], int(np.ceil(0.3 * steps))
        for factor, moves in ((3, large), (2, large), (1, steps - 2 * large)):
            self.eps = factor * eps
            path += self.sparse(self.project(start), moves, going_on=True)[0]
            start = self.top
        return path


def small_problem(number):
    """Weights and a model of them in float32, images of 12 values and their labels."""
    generator = np.random.default_rng(number)
    weights = generator.normal(size=(12, 10)), generator.normal(size=(10, 4))
    x = generator.uniform(0.1, 0.9, (4, 2, 2, 3)).astype("float32")
    first, second = (ops.convert_to_tensor(w, "float32") for w in weights)

    def model(z):
        return ops.tanh(ops.reshape(z, (-1, 12)) @ first) @ second

    return weights, model, x, numpy(model(x)).argmax(1).astype("int32")


@pytest.mark.parametrize("norm", THREATS)
def test_every_iterate_equals_a_numpy_reimplementation(norm):
    """Up to step 75 of 100: past four checkpoints, but before float32 decides between equals."""
    # Steps of unit length amplify roundings, which differ between CPUs; on this problem least.
    weights, model, x, y = small_problem(13)
    attack = APGD(THREATS[norm])
    state = attack.begin(model, ops.convert_to_tensor(x), ops.convert_to_tensor(y), 3, 0)
    starts = numpy(state["z"])
    states = trace(attack, model, state, x, y, 101)
    assert not states[99]["done"].any() and states[100]["done"].all()
    events = []
    for i in range(4):
        reference = Reference(weights, x[i].ravel().astype(float), y[i], norm, attack.threat.eps)
        begun = starts[i].ravel().astype(float)
        path, event = (reference.sparse if norm == "l1" else reference.dense)(begun)
        events += event
        path = path[:75]
        got = np.array([begun] + [s["z"][i].ravel() for s in states[:74]])
        np.testing.assert_allclose(got, path, atol=1e-4)
        wrong = [z for z in path if reference.loss(z)[2]]
        want = wrong[-1] if wrong else x[i].ravel()
        np.testing.assert_allclose(states[74]["best"][i].ravel(), want, atol=1e-4)
    assert len(set(events)) > 1


def test_every_iterate_of_shrinking_balls_equals_a_numpy_reimplementation():
    """And only what lies in the last counts."""
    weights, model, x, y = small_problem(13)
    attack, steps = APGD(L1(0.4), steps=18, larger_eps=True), 18  # 6, 6 and 6 moves
    state = attack.begin(model, ops.convert_to_tensor(x), ops.convert_to_tensor(y), 3, 0)
    starts = numpy(state["z"])
    np.testing.assert_allclose(np.abs(starts - x).sum((1, 2, 3)), 1.2, rtol=1e-5)
    states = trace(attack, model, state, x, y, 21)
    assert not states[19]["done"].any() and states[20]["done"].all()
    assert not states[13]["success"].any()
    for i in range(4):
        reference = Reference(weights, x[i].ravel().astype(float), y[i], "l1", 0.4)
        path = reference.shrinking(starts[i].ravel().astype(float), steps)
        got = np.array([starts[i].ravel()] + [s["z"][i].ravel() for s in states[:20]])
        np.testing.assert_allclose(got, path, atol=1e-4)
        wrong = [z for z in path[14:] if reference.loss(z)[2]]
        want = wrong[-1] if wrong else x[i].ravel()
        np.testing.assert_allclose(states[20]["best"][i].ravel(), want, atol=1e-4)
    assert states[20]["success"].any()


@pytest.mark.parametrize("norm", THREATS)
def test_start_lies_on_the_surface(norm):
    x = ops.full((6, 8, 8, 3), 0.5)
    y = ops.zeros((6,), "int32")
    threat = THREATS[norm]
    z = APGD(threat).begin(tiny_linear(), x, y, 1, 0)["z"]
    np.testing.assert_allclose(numpy(threat.distance(z, x)), threat.eps, rtol=1e-4)


def test_runs_go_through_the_classes_by_their_clean_logits():
    model = tiny_linear(4)
    x, y = map(ops.convert_to_tensor, tiny_batch(5))
    ranking = numpy(model(x)).argsort(1)[:, ::-1]
    attack = APGD(Linf(0.1), targets=3, restarts=2)
    assert attack.runs == 6
    for number in range(6):
        for form in (number, ops.convert_to_tensor(number, "int32")):
            target = numpy(attack.begin(model, x, y, 0, form)["target"])
            np.testing.assert_array_equal(target, ranking[:, number % 3 + 1])
    with pytest.raises(ValueError, match="less than the 4 classes. Received: targets=4"):
        APGD(Linf(0.1), targets=4).begin(model, x, y, 0, 0)


def test_a_run_puts_its_class_before_the_label_and_the_best_run_counts():
    model = tiny_linear(4)
    x, _ = tiny_batch(8)
    y = numpy(model(x)).argmax(1).astype("int32")
    attack = APGD(Linf(0.4), steps=20, targets=3)
    for number in range(3):
        begun = attack.begin(model, ops.convert_to_tensor(x), ops.convert_to_tensor(y), 0, number)
        final = trace(attack, model, begun, x, y, 21)[-1]
        assert final["success"].all()
        logits, rows = numpy(model(final["best"])), np.arange(8)
        assert (logits[rows, final["target"]] > logits[rows, y]).all()
    outcome = run(attack, model, x, y)
    assert outcome.success.all() and (numpy(model(outcome.images)).argmax(1) != y).all()


def test_reaches_the_classes_given():
    model = tiny_linear(4)
    x, y = tiny_batch(8)
    outcome = run(APGD(Linf(0.4), steps=20, targeted=True), model, x, y)
    assert outcome.success.all()
    np.testing.assert_array_equal(numpy(model(outcome.images)).argmax(1), y)


def test_worst_case_of_a_linear_model():
    """Linf and L2 fall by eps ||w||_q; L1 spends eps on the largest |w|, as far as [0, 1] goes."""
    x = tiny_batch(4)[0] * 0.5 + 0.25
    model, y = tiny_linear(), np.zeros(4, "int32")
    bias = ops.convert_to_tensor([100.0, 0.0])  # every point fools: the last one is returned
    model.layers[-1].bias.assign(-bias)
    w = numpy(model.layers[-1].kernel) @ [-1.0, 1.0]
    order = np.argsort(-np.abs(w))
    room = np.where(w > 0, 1 - x.reshape(4, -1), x.reshape(4, -1))[:, order]
    spent = np.diff(np.minimum(np.cumsum(room, 1), 3.0), axis=1, prepend=0.0)
    drops = (
        (Linf(0.05), 0.05 * np.abs(w).sum()),
        (L2(0.05), 0.05 * np.linalg.norm(w)),
        (L1(3.0), spent @ np.abs(w)[order]),
    )
    for threat, most in drops:
        images = run(APGD(threat, loss=losses.margin), model, x, y).images
        rise = numpy(losses.margin(y, model(images))) - numpy(losses.margin(y, model(x)))
        np.testing.assert_allclose(rise, most * np.ones(4), rtol=2e-2 if threat.eps == 3 else 1e-4)


def test_counts_a_gradient_more_than_steps_and_returns_clean_images_on_failure():
    model = tiny_linear(4)
    x, _ = tiny_batch(6)
    y = numpy(model(x)).argmax(1).astype("int32")
    outcome = run(APGD(Linf(0.0), steps=4, restarts=2, draws=3), model, x, y)
    assert outcome.gradients == 6 * 5 * 2 * 3 and not outcome.success.any()
    np.testing.assert_array_equal(outcome.images, x)
    assert run(APGD(L1(0.0), steps=4, larger_eps=True), model, x, y).gradients == 6 * 7


def test_inside_a_graph_it_is_what_the_driver_makes():
    model = tiny_classifier()
    x, _ = tiny_batch(6)
    y = numpy(model(x)).argmax(1).astype("int32")
    attack, seeds = APGD(Linf(0.1), steps=7), keras.random.SeedGenerator(3)
    whole = compiled(lambda x, y: attack(model, x, y, seeds), [*model.variables, seeds.state])
    outcome = run(attack, model, x, y, seed=3)
    assert outcome.success.any()
    inside = numpy(whole(ops.convert_to_tensor(x), ops.convert_to_tensor(y)))
    np.testing.assert_allclose(inside, outcome.images, atol=1e-5)


@pytest.mark.parametrize("norm", THREATS)
@pytest.mark.parametrize("slope", [0.0, float("nan")])
def test_useless_gradients_leave_finite_images(norm, slope):
    attack = APGD(THREATS[norm], steps=6, loss=lambda y, logits: slope * logits[:, 0])
    x, y = tiny_batch(2)
    model = tiny_linear(4)
    x_tensor, y_tensor = ops.convert_to_tensor(x), ops.convert_to_tensor(y)
    state = trace(attack, model, attack.begin(model, x_tensor, y_tensor, 0, 0), x, y, 7)[-1]
    for name in ("z", "best", "eta"):
        assert np.isfinite(state[name]).all()


def test_targeted_dlr_by_hand_and_its_invariances():
    logits = np.array([[4.0, 1.0, 2.0, -1.0, 0.0]], "float32")
    y, target = np.array([0], "int32"), np.array([3], "int32")
    value = numpy(losses.dlr_targeted(y, logits, target))
    np.testing.assert_allclose(value, [(-1.0 - 4.0) / (4.0 - 0.5 * (1.0 + 0.0))])
    for other in (3.0 * logits, logits + 7.0):
        np.testing.assert_allclose(numpy(losses.dlr_targeted(y, other, target)), value, rtol=1e-5)
    assert numpy(losses.dlr_targeted(target, logits, y))[0] > 0
    with pytest.raises(ValueError, match="at least 4 classes"):
        losses.dlr_targeted(y, logits[:, :3], y)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"steps": 0}, "steps must be a positive integer. Received: steps=0"),
        ({"restarts": 1.5}, "restarts must be a positive integer"),
        ({"targets": -1}, "targets must be an integer >= 0"),
        ({"targets": 3, "loss": losses.dlr}, "brings its own loss"),
        ({"targets": 3, "targeted": True}, "brings its own loss"),
        ({"threat": "linf"}, "threat must be Linf, L2 or L1"),
        ({"larger_eps": True}, "larger_eps must be False, or of the threat L1 True"),
        ({"larger_eps": 1, "threat": L1(1.0)}, "larger_eps must be"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        APGD(**({"threat": Linf(0.1)} | options))
