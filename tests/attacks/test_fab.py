import keras
import numpy as np
import pytest
from keras import ops
from scipy.optimize import linprog, minimize
from tiny import numpy, tiny_batch, tiny_classifier, tiny_linear, tiny_tanh

from robustzoo.attacks import FAB, PGD
from robustzoo.attacks._hyperplane import shortest
from robustzoo.attacks.base import fooled
from robustzoo.attacks.run import run
from robustzoo.backend import compiled
from robustzoo.threats import L1, L2, Linf

THREATS = {"linf": Linf(0.1), "l2": L2(1.0), "l1": L1(5.0)}
DUAL = {"linf": 1, "l2": 2, "l1": np.inf}
SIZE = 12


@pytest.fixture(params=THREATS)
def norm(request):
    return request.param


def ways(norm, z, w, rise):
    """`shortest` for rows z and w (B, 12)."""
    images = (np.asarray(v, "float32").reshape(-1, 2, 3, 2) for v in (z, w))
    d = shortest(THREATS[norm], *map(ops.convert_to_tensor, images), np.asarray(rise, "float32"))
    return numpy(d).reshape(-1, SIZE)


def length(norm, d):
    return np.linalg.norm(d, {"linf": np.inf, "l2": 2, "l1": 1}[norm], axis=-1)


def reach(z, w):
    """Most and least that <w, d> can be within the box."""
    most = np.where(w > 0, (1 - z) * w, -z * w).sum(1)
    least = np.where(w > 0, -z * w, (1 - z) * w).sum(1)
    return most, least


def problems(share):
    """Hyperplanes so far away that `share` of what the box allows is needed to get there."""
    generator = np.random.default_rng(0)
    z = generator.uniform(size=(16, SIZE))
    w = generator.normal(size=(16, SIZE)) * np.exp(generator.normal(size=(16, SIZE)))
    z[:4], w[4:8] = z[:4].round(), w[4:8].round()  # at the edge; ties and zeros
    most, least = reach(z, w)
    return z, w, share * np.where(np.arange(16) % 2, most, least)


def optimum(norm, z, w, rise):
    """Least norm by SciPy, linear programs in Linf and L1."""
    if norm == "l2":
        found = minimize(
            lambda d: (0.5 * d @ d, d),
            np.zeros(SIZE),
            jac=True,
            bounds=list(zip(-z, 1 - z, strict=True)),
            constraints={"type": "eq", "fun": lambda d: w @ d - rise, "jac": lambda d: w},
            method="SLSQP",
            options={"ftol": 1e-14, "maxiter": 500},
        )
        assert found.success
        return np.linalg.norm(found.x)
    one, eye = np.ones((SIZE, 1)), np.eye(SIZE)
    bound = -one if norm == "linf" else -eye  # |d| <= t for one t, or one for each pixel
    extra = bound.shape[1]
    found = linprog(
        np.concatenate([np.zeros(SIZE), np.ones(extra)]),
        A_ub=np.block([[eye, bound], [-eye, bound]]),
        b_ub=np.zeros(2 * SIZE),
        A_eq=np.concatenate([w, np.zeros(extra)])[None],
        b_eq=[rise],
        bounds=[*zip(-z, 1 - z, strict=True), *[(0, None)] * extra],
    )
    assert found.success
    return found.fun


@pytest.mark.parametrize("share", [0.01, 0.3, 0.9])
def test_shortest_way_is_the_optimum(norm, share):
    z, w, rise = problems(share)
    d = ways(norm, z, w, rise)
    assert (z + d).min() >= -1e-6 and (z + d).max() <= 1 + 1e-6
    np.testing.assert_allclose((w * d).sum(1), rise, atol=1e-4)
    best = [optimum(norm, *problem) for problem in zip(z, w, rise, strict=True)]
    np.testing.assert_allclose(length(norm, d), best, atol=2e-5, rtol=1e-4)
    touching = np.isclose(z + d, 0, atol=1e-6) | np.isclose(z + d, 1, atol=1e-6)
    assert touching[8:].any() or share < 0.1


def test_out_of_reach_goes_to_the_nearest_corner(norm):
    z, w, rise = problems(1.5)
    d = ways(norm, z, w, rise)
    most, least = reach(z, w)
    np.testing.assert_allclose((w * d).sum(1), np.where(rise > 0, most, least), rtol=1e-5)


def test_degenerate_hyperplanes(norm):
    z, w, rise = problems(0.3)
    np.testing.assert_array_equal(ways(norm, z, 0 * w, rise), 0.0)
    np.testing.assert_array_equal(ways(norm, z, w, 0 * rise), 0.0)
    usual = ways(norm, z, w, rise)
    for scale in (1e-25, 1e25):  # squares of these are no float32
        np.testing.assert_allclose(ways(norm, z, scale * w, scale * rise), usual, atol=1e-5)
    far = ways(norm, z, w, np.full(16, np.inf))
    np.testing.assert_allclose((w * far).sum(1), reach(z, w)[0], rtol=1e-5)


def test_many_pixels(norm):
    """Long sums in float32: the hyperplane is met to 1e-5 of the way to it."""
    generator = np.random.default_rng(0)
    z = generator.uniform(size=(4, 32, 32, 3)).astype("float32")
    w = (generator.normal(size=z.shape) ** 3).astype("float32")
    rise = 0.7 * np.where(w > 0, (1.0 - z) * w, -z * w).sum((1, 2, 3), dtype="float64")
    d = numpy(shortest(THREATS[norm], z, w, rise.astype("float32"))).astype("float64")
    np.testing.assert_allclose((w * d).sum((1, 2, 3)), rise, rtol=1e-5)


def near_boundary(count=16):
    """A two-class model, images well inside the box near its boundary, classes and margins."""
    x = (0.5 + 0.1 * (tiny_batch(count)[0] - 0.4)).astype("float32")
    model = tiny_linear()
    head = model.layers[-1]
    head.bias.assign(-numpy(model(x)).mean(0))
    logits, w = numpy(model(x)), numpy(head.kernel)
    return (
        model,
        x,
        logits.argmax(1).astype("int32"),
        logits[:, 0] - logits[:, 1],
        w[:, 0] - w[:, 1],
    )


def test_finds_the_nearest_point_of_a_linear_model(norm):
    """||z - x|| = |m| / ||w0 - w1||_dual."""
    model, x, y, margins, w = near_boundary()
    outcome = run(FAB(THREATS[norm], steps=20, targets=1), model, x, y)
    assert outcome.success.all() and (numpy(model(outcome.images)).argmax(1) != y).all()
    assert outcome.gradients == outcome.queries == 16 * 20
    found = length(norm, (outcome.images.astype("float64") - x).reshape(16, -1))
    ratio = found * np.linalg.norm(w, DUAL[norm]) / np.abs(margins)
    assert 0.999 < ratio.min() and ratio.max() < 1.01


def test_a_class_out_of_question_hides_no_gradient(norm):
    """A logit of -inf is no target, and leaves the others what they are."""
    model, x, y, _, _ = near_boundary()
    more = keras.layers.Lambda(
        lambda z: ops.concatenate([z, ops.full_like(z[:, :1], -np.inf)], axis=1), output_shape=(3,)
    )
    attack = FAB(THREATS[norm], steps=10, targets=1)
    outcome = run(attack, keras.Sequential([*model.layers, more]), x, y)
    assert outcome.success.all()
    np.testing.assert_allclose(outcome.images, run(attack, model, x, y).images, atol=1e-6)


def nearest(norm, z, w, rise):
    """The shortest d with <w, d> = `rise` and z + d in [0, 1]: in L1 greedy, else bisected."""
    up = w * np.sign(rise)
    gain, room = np.abs(w), np.where(up > 0, 1 - z, z)
    if norm == "l1":
        order = np.argsort(-gain)
        before = np.cumsum((gain * room)[order]) - (gain * room)[order]
        way = np.zeros(SIZE)
        way[order] = np.clip((abs(rise) - before) / gain[order], 0, room[order])
        return np.sign(up) * way
    low, high = 0.0, 1 / gain.min()
    for _ in range(100):
        level = (low + high) / 2
        way = np.minimum(room, level * (gain if norm == "l2" else 1))
        low, high = (low, level) if gain @ way > abs(rise) else (level, high)
    return np.sign(up) * way


def traced(attack, norm, by_hand, x, y, target):
    """FAB once more, in double precision: by step (iterate, nearest hit), hits, shares of d1."""
    z, best, least, path, hits, shares = x, x, np.inf, [], [], []
    for _ in range(3):
        logits, slopes = by_hand(z)
        f, w = logits[target] - logits[y], slopes[target] - slopes[y]
        d1, d2 = nearest(norm, z, w, -f), nearest(norm, x, w, w @ (z - x) - f)
        shares.append(length(norm, d1) / (length(norm, d1) + length(norm, d2)))
        alpha = min(shares[-1], attack.alpha_max)
        z = (1 - alpha) * (z + attack.eta * d1) + alpha * (x + attack.eta * d2)
        z = np.clip(z, 0, 1)
        hits.append(by_hand(z)[0].argmax() != y)
        if hits[-1]:
            if length(norm, z - x) < least:
                best, least = z, length(norm, z - x)
            z = x + attack.beta * (z - x)
        path.append((z, best))
    return path, hits, shares


def test_follows_a_trace_by_hand(norm):
    """The iterate and the nearest hit so far of three steps on a curved model.

    Against the third class; some steps fool the model, and alpha_max binds in some.
    """
    model, by_hand = tiny_tanh()
    # With these images rounding decides nothing: whatever is judged has a lead of over 0.001.
    flat = np.random.default_rng(11).uniform(size=(8, SIZE)).astype("float32")
    x = ops.convert_to_tensor(flat.reshape(8, 2, 2, 3))
    order = np.argsort(-numpy(model(x)), axis=1)
    attack, y = FAB(THREATS[norm], targets=2), ops.convert_to_tensor(order[:, 0], "int32")
    state, states = attack.begin(model, x, y, 0, 1), []
    for _ in range(3):
        state = attack.step(model, state, x, y)
        states.append([numpy(state[name]).reshape(8, SIZE) for name in ("z", "best")])
    rows = zip(flat.astype("float64"), order[:, 0], order[:, 2], strict=True)
    paths, hits, shares = zip(*(traced(attack, norm, by_hand, *row) for row in rows), strict=True)
    np.testing.assert_allclose(states, np.moveaxis(paths, 0, 2), rtol=1e-4, atol=1e-6)
    later = np.array(shares)[:, 1:]  # at first x is the iterate itself, and no share matters
    assert 0 < np.mean(hits) < 1 and 0 < np.mean(later < attack.alpha_max) < 1


def least_eps(threat, model, x, y):
    """Per image the least eps at which PGD with 40 steps fools the model, bisected."""

    def attacked(x, y, eps):
        pgd = PGD(type(threat)(1.0), 0.1, steps=40, start="clean").scaled(eps)
        return fooled(model(pgd(model, x, y)), y)

    attacked = compiled(attacked, model.variables)
    low, high = np.zeros((len(x), 1, 1, 1), "float32"), np.full((len(x), 1, 1, 1), 8.0, "float32")
    for _ in range(12):
        middle = (low + high) / 2
        hit = numpy(attacked(*map(ops.convert_to_tensor, (x, y, middle))))[:, None, None, None]
        low, high = np.where(hit, low, middle), np.where(hit, middle, high)
    return high[:, 0, 0, 0]


@pytest.mark.parametrize("name", ["linf", "l2"])
def test_no_further_than_pgd(name):
    x, model = tiny_batch(16)[0], tiny_classifier()
    y = numpy(model(x)).argmax(1).astype("int32")
    outcome = run(FAB(THREATS[name], steps=40, targets=3), model, x, y)
    assert outcome.success.all()
    found = length(name, (outcome.images - x).reshape(16, -1))
    assert np.median(found / least_eps(THREATS[name], model, x, y)) <= 1.1


def test_each_run_has_its_class():
    """Runs 0, 1, 2 go against the second to fourth class; of class five there is none."""
    x, model = tiny_batch(8)[0], tiny_classifier()
    logits = numpy(model(x))
    order = np.argsort(-logits, axis=1)
    attack = FAB(Linf(0.1), targets=4, restarts=2)
    assert attack.runs == 8
    for r in range(8):
        state = attack.begin(model, x, order[:, 0].astype("int32"), 3, r)
        if r % 4 < 3:
            np.testing.assert_array_equal(numpy(state["target"]), order[:, r % 4 + 1])
        assert numpy(state["done"]).all() == (r % 4 == 3)
        moved = np.abs(numpy(state["z"]) - x).max()
        assert moved == 0 if r < 4 else 0.045 < moved <= 0.05 + 1e-6


def test_more_targets_and_restarts_never_find_less():
    x, model = tiny_batch(16)[0], tiny_linear(4)  # the second class is not always the nearest
    y = numpy(model(x)).argmax(1).astype("int32")
    sizes = []
    for options in ({"targets": 1}, {"targets": 3}, {"targets": 3, "restarts": 2}):
        outcome = run(FAB(Linf(0.1), steps=10, **options), model, x, y)
        sizes.append(np.where(outcome.success, np.abs(outcome.images - x).max((1, 2, 3)), np.inf))
    assert (sizes[0] >= sizes[1]).all() and (sizes[1] >= sizes[2]).all()
    assert (sizes[0] > sizes[2]).any()


@pytest.mark.parametrize("kernel", [0.0, np.nan], ids=["flat", "nan"])
def test_a_failure_is_the_clean_image(norm, kernel):
    """Neither a gradient of zero nor one that is no number brings anything but that."""
    x = ops.convert_to_tensor(tiny_batch(4)[0])
    y = ops.zeros((4,), "int32")

    def model(z):
        slope = kernel * ops.sqrt(ops.sum(ops.square(z - z), axis=(1, 2, 3)))
        return ops.stack([ops.ones((4,)) + ops.where(slope > 0, slope, 0.0), ops.zeros((4,))], 1)

    attack = FAB(THREATS[norm], targets=1)
    state = attack.begin(model, x, y, 0, 0)
    for _ in range(3):
        state = attack.step(model, state, x, y)
    assert not numpy(state["success"]).any()
    np.testing.assert_array_equal(numpy(state["best"]), numpy(x))
    assert np.isfinite(numpy(state["z"])).all()


@pytest.mark.parametrize(
    "options, message",
    [
        ({"threat": 0.1}, "threat must be Linf, L2 or L1"),
        ({"steps": 0}, "steps must be a positive integer"),
        ({"targets": 0}, "targets must be a positive integer"),
        ({"eta": 0.9}, "eta must be a finite number >= 1"),
        ({"beta": 1.0}, r"beta must be in \(0, 1\)"),
        ({"alpha_max": 2.0}, r"alpha_max must be in \[0, 1\]"),
        ({"eta": "2"}, "eta must be .* Received: eta='2'"),
        ({"beta": "0.5"}, "beta must be .* Received: beta='0.5'"),
        ({"alpha_max": "1"}, "alpha_max must be .* Received: alpha_max='1'"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        FAB(**{"threat": Linf(0.1), **options})
