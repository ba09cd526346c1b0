import numpy as np
import pytest
from keras import ops
from tiny import numpy, tiny_batch, tiny_classifier

from robustzoo.attacks import Square
from robustzoo.attacks._windows import hills, inside, tiles
from robustzoo.attacks.base import where
from robustzoo.attacks.run import run
from robustzoo.backend import compiled
from robustzoo.losses import margin
from robustzoo.threats import L1, L2, Linf

EPS = 0.05
THREATS = {"linf": Linf(EPS), "l2": L2(0.3), "l1": L1(2.0)}


@pytest.fixture(params=THREATS.values(), ids=THREATS.keys())
def threat(request):
    return request.param


def interior(count=8):
    """Images so far from the edges of the box that no change is clipped."""
    return tiny_batch(count)[0] * 0.2 + 0.4


def walk(attack, model, x, y):
    """All states of one run, an example's last one repeated once it is done."""
    x, y = ops.convert_to_tensor(x), ops.convert_to_tensor(y)

    def following(state, x, y):
        return where(state["done"], state, attack.step(model, state, x, y))

    states = [attack.begin(model, x, y, 0, 0)]
    following = compiled(following, getattr(model, "variables", []))
    for _ in range(attack.steps):
        states.append(following(states[-1], x, y))
    return [{name: numpy(value) for name, value in state.items()} for state in states]


def robust(classes=4):
    """A model of constant logits: it is fooled nowhere, and no try ever raises its loss."""
    return lambda z: ops.zeros((ops.shape(z)[0], classes)) + ops.one_hot(0, classes)


# k of the first and the last try, p as a fraction of 0.8, and sides at 32 x 32 in Linf and L2.
SCHEDULE = [
    (0, 10, 1, 29, 29),  # sqrt(0.8 * 1024) = 28.6
    (11, 50, 2, 20, 21),  # 20.2
    (51, 200, 4, 14, 15),  # 14.3
    (201, 500, 8, 10, 11),  # 10.1
    (501, 1000, 16, 7, 7),  # 7.2
    (1001, 2000, 32, 5, 5),  # 5.1
    (2001, 4000, 64, 4, 5),  # 3.6
    (4001, 6000, 128, 3, 3),  # 2.5
    (6001, 8000, 256, 2, 3),  # 1.8
    (8001, 20000, 512, 1, 3),  # 1.3
]


@pytest.mark.parametrize("first, last, halvings, linf, l2", SCHEDULE)
def test_sides(first, last, halvings, linf, l2):
    for k in (first, last):
        assert Square(Linf(EPS)).side(k, 32, 32) == linf
        assert Square(Linf(EPS), p=0.8 / halvings).side(0, 32, 32) == linf
        assert Square(L2(EPS), steps=10).side(k, 32, 32) == l2
        assert Square(L1(EPS), steps=10).side(k, 32, 32) == l2


def test_sides_fit_into_the_image():
    assert Square(Linf(EPS)).side(0, 4, 100) == 4
    assert Square(L2(EPS)).side(0, 2, 2) == 2
    assert Square(L2(EPS), p=1.0).side(0, 8, 8) == 8


def test_squares_lie_anywhere_inside():
    """Corners 0 .. 8 - side, all of them and nothing else; row and column count from there."""
    count, side = 500, np.repeat([1, 3, 8], [200, 200, 100]).astype("int32")
    at = np.random.default_rng(0).uniform(size=(count, 2)).astype("float32")
    at[:2] = [[0.0, 0.0], [1 - 2**-24, 1 - 2**-24]]
    mask, row, column = map(numpy, inside(at, ops.convert_to_tensor(side), (8, 8, 3)))
    assert mask.shape == (count, 8, 8, 1)
    for n in range(count):
        rows, columns = np.nonzero(mask[n, ..., 0])
        assert len(rows) == side[n] ** 2
        for index, counted in ((rows, row[n].ravel()), (columns, column[n].ravel())):
            assert np.ptp(index) == side[n] - 1
            np.testing.assert_array_equal(counted[index], index - index.min())
    corners = {tuple(np.argwhere(m)[0][:2]) for m in mask[:200]}
    assert len(corners) > 55  # of 64
    assert {tuple(np.argwhere(m)[0][:2]) for m in mask[200:400]} == set(np.ndindex(6, 6))


def test_starts_from_vertical_stripes():
    x = interior()
    start = numpy(Square(Linf(EPS)).begin(None, x, np.zeros(8, "int32"), 0, 0)["z"]) - x
    np.testing.assert_allclose(np.abs(start), EPS, atol=1e-6)
    np.testing.assert_allclose(start, start[:, :1].repeat(8, axis=1), atol=1e-6)
    stripes = np.sign(start[:, 0]).reshape(8, -1)
    assert len(np.unique(stripes, axis=0)) == 8
    assert abs(stripes.mean()) < 5 / np.sqrt(stripes.size)


def test_tries_of_linf_colour_one_square():
    """Where nothing is accepted, each try differs from the start in one square, by 2 eps."""
    x, y = interior(4), np.zeros(4, "int32")
    attack = Square(Linf(EPS), steps=60)
    states = walk(attack, robust(), x, y)
    start, seen = states[0]["z"], set()
    for k, state in enumerate(states[1:-1]):
        np.testing.assert_array_equal(state["best"], start)
        np.testing.assert_allclose(np.abs(state["z"] - x), EPS, atol=1e-6)
        side = attack.side(k, 8, 8)
        for changed in np.abs(state["z"] - start) > EPS:
            rows, columns, _ = np.nonzero(changed)
            if len(rows):
                assert max(np.ptp(rows), np.ptp(columns)) < side
                seen.add((side, rows.min(), columns.min()))
    assert len(seen) > 20


def test_values_are_extreme_or_at_the_edge_of_the_box():
    x, _ = tiny_batch(8)
    x[:, ::2] = 0.02
    model = tiny_classifier()
    y = numpy(model(x)).argmax(1).astype("int32")
    z = run(Square(Linf(EPS), steps=40), model, x, y).images
    change = np.abs(z - x)
    assert (np.isclose(change, EPS, atol=1e-6) | np.isin(z, [0.0, 1.0])).all()


def test_loss_never_falls(threat):
    x, model = interior(), tiny_classifier()
    y = numpy(model(x)).argmax(1).astype("int32")
    states = walk(Square(threat, steps=60), model, x, y)
    values = np.stack([state["value"] for state in states[1:]])
    assert (np.diff(values, axis=0) >= 0).all()
    assert (values[-1] > values[0]).any()
    for state in states[1:]:
        np.testing.assert_allclose(
            numpy(margin(y, model(state["best"]))), state["value"], atol=1e-4
        )


def test_a_try_stays_if_it_raises_the_loss_or_fools():
    """Margins of a script: the start at -3, then worse, better, equal, and one that is fooled."""
    script = iter([-3.0, -4.0, -2.0, -2.0, 1.0, 5.0])
    x, y = ops.convert_to_tensor(interior(1)), ops.convert_to_tensor([0])
    attack = Square(Linf(EPS), steps=10)

    def model(z):
        return ops.convert_to_tensor([[0.0, next(script)]])

    state, taken, done = attack.begin(model, x, y, 0, 0), [], []
    for _ in range(5):
        tried = state["z"]
        state = attack.step(model, state, x, y)
        taken.append(bool(ops.all(ops.equal(state["best"], tried))))
        done.append(bool(state["done"][0]))
    assert taken == [True, False, True, False, True]
    assert done == [False, False, False, False, True]
    assert bool(state["success"][0]) and float(state["value"][0]) == 1.0


def test_counts_and_stops():
    x, y = interior(3), np.zeros(3, "int32")
    states = walk(Square(Linf(EPS), steps=7), robust(), x, y)
    assert [bool(state["done"].all()) for state in states] == [False] * 7 + [True]
    model = tiny_classifier()
    outcome = run(Square(Linf(EPS), steps=5), model, x, numpy(model(x)).argmax(1).astype("int32"))
    assert outcome.gradients == 0 and 3 <= outcome.queries <= 15


@pytest.mark.parametrize("threat", [L2(0.3), L1(2.0)], ids=["l2", "l1"])
def test_budget_of_a_sum_is_kept_and_used(threat):
    x, y = interior(4), np.zeros(4, "int32")
    model, order, eps = tiny_classifier(), 2 if isinstance(threat, L2) else 1, threat.eps

    def norm(change):
        return np.linalg.norm(change.astype("float64").reshape(4, -1), order, axis=1)

    for labels, net in ((y, robust()), (numpy(model(x)).argmax(1).astype("int32"), model)):
        for state in walk(Square(threat, steps=40), net, x, labels):
            np.testing.assert_allclose(norm(state["z"] - x), eps, atol=1e-5)
    dark = np.zeros_like(x)  # here the box takes a part, which the next try may spend
    for state in walk(Square(threat, steps=40), robust(), dark, y):
        assert norm(state["z"]).max() <= eps + 1e-6 and state["z"].min() >= 0


@pytest.mark.parametrize("threat", [L2(0.3), L1(2.0)], ids=["l2", "l1"])
def test_tries_of_a_sum_move_the_change_between_two_squares(threat):
    """Outside two squares nothing changes; each channel keeps the norm it had in both."""
    x, y = interior(4), np.zeros(4, "int32")
    attack = Square(threat, steps=30, p=0.1)  # side 3
    states = walk(attack, robust(), x, y)
    start, order = states[0]["z"] - x, 2 if isinstance(threat, L2) else 1
    for state in states[1:-1]:
        delta = state["z"] - x
        changed = (np.abs(delta - start) > 1e-6).any(-1)
        assert 0 < changed.sum((1, 2)).max() <= 2 * 9
        powers = [(np.abs(d.astype("float64")) ** order).sum((1, 2)) for d in (delta, start)]
        np.testing.assert_allclose(*powers, atol=1e-5)


def test_l1_starts_from_the_projected_hills():
    """Of tiles of 4 x 4, each of norm 1 in L1: what the projection leaves is the tops of hills."""
    x, threat = np.full((1, 20, 20, 1), 0.5, "float32"), L1(2.0)
    start = numpy(Square(threat).begin(None, x, np.zeros(1, "int32"), 0, 0)["z"]) - x
    _, (upright, lying) = tiles((20, 20, 1), 1)
    change = np.zeros((20, 20))
    for row, column in np.ndindex(5, 5):
        cut = np.s_[4 * row : 4 * row + 4, 4 * column : 4 * column + 4]
        mine = start[0, :, :, 0][cut]
        fits = [
            eta for p in (upright, lying) for eta in (p[cut], -p[cut]) if (mine * eta).sum() > 0
        ]
        change[cut] = max(fits, key=lambda eta: (mine * eta).sum())
    wanted = numpy(threat.project(x + change[None, :, :, None].astype("float32"), x)) - x
    np.testing.assert_allclose(start, wanted, atol=1e-6)
    assert abs(np.abs(start).sum() - 2.0) < 1e-5 and (start != 0).sum() < 200


@pytest.mark.parametrize("threat", [L2(0.3), L1(2.0)], ids=["l2", "l1"])
def test_a_try_of_a_sum_by_hand(threat):
    """One square of the whole image: eta, with a sign per channel, plus what was there."""
    order = 2 if isinstance(threat, L2) else 1
    x = np.full((1, 5, 5, 2), 0.5, "float32")
    generator = np.random.default_rng(0)
    delta = generator.normal(size=(5, 5, 2)) * 0.01  # less than the budget: the rest is shared out
    attack = Square(threat, p=1.0)
    state = attack.begin(None, x, np.zeros(1, "int32"), 0, 0)
    state["steps"] = ops.zeros((1,), "int32")
    found = numpy(attack._swap(state, ops.convert_to_tensor(delta[None].astype("float32"))))[0]

    def norms(change):
        return np.linalg.norm(change.reshape(25, -1), order, axis=0)

    unused = threat.eps**order - (norms(delta) ** order).sum()
    size = (norms(delta) ** order + unused / 2) ** (1 / order)
    tries = []
    for eta in (hills(5, order), hills(5, order).T):
        for signs in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
            mixed = eta[..., None] * signs + delta / norms(delta)
            tries.append(mixed / norms(mixed) * size)
    assert min(np.abs(found - one).max() for one in tries) < 1e-5


def test_hills():
    """eta of side 3: a 1 x 3 hill (1/4, 5/4, 1/4) over a 2 x 3 hole with its top at (1, 1)."""
    hill = np.array([[0.25, 1.25, 0.25]])
    hole = np.array([[0.25, 0.25, 0.25], [0.25, 1.25, 0.25]])
    parts = [hill / np.linalg.norm(hill), -hole / np.linalg.norm(hole)]
    np.testing.assert_allclose(hills(3), np.concatenate(parts) / np.sqrt(2), atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(hills(15)), 1.0)
    parts = [hill / np.abs(hill).sum(), -hole / np.abs(hole).sum()]
    np.testing.assert_allclose(hills(3, 1), np.concatenate(parts) / 2, atol=1e-12)
    np.testing.assert_allclose(hills(1), [[-1.0]])


def test_tiles():
    """32 x 32: five tiles of side 6 each way, and a border of one pixel."""
    number, pattern = tiles((32, 32, 3))
    assert number.max() == 24 and (pattern[:, 0] == 0).all() and (pattern[:, :, 31] == 0).all()
    np.testing.assert_allclose(pattern[0, 7:13, 1:7], hills(6), atol=1e-7)
    np.testing.assert_allclose(pattern[1, 25:31, 25:31], hills(6).T, atol=1e-7)
    assert (number[7:13, 1:7] == 5).all()


def test_targeted_reaches_the_target():
    x, model = interior(8), tiny_classifier()
    target = ((numpy(model(x)).argmax(1) + 1) % 4).astype("int32")
    outcome = run(Square(Linf(0.5), steps=200, targeted=True), model, x, target)
    assert outcome.success.any()
    reached = numpy(model(outcome.images)).argmax(1) == target
    np.testing.assert_array_equal(outcome.success, reached)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"threat": 1.0}, "threat must be Linf, L2 or L1"),
        ({"steps": 0}, "steps must be a positive integer"),
        ({"restarts": 1.5}, "restarts must be a positive integer"),
        ({"p": 0.0}, r"p must be in \(0, 1\]"),
        ({"p": "0.8"}, "p must be .* Received: p='0.8'"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        Square(**{"threat": Linf(EPS), **options})
