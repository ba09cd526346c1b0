import keras
import numpy as np
import pytest
from keras import ops

from robustzoo.attacks._counter import normal, random_bits, random_keys, threefry, uniform
from tests.tiny import numpy


def ints(*values):
    return ops.convert_to_tensor(np.array(values, "uint32").view("int32"))


@pytest.mark.parametrize(
    "block, key, words",
    [
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((2**32 - 1, 2**32 - 1), (2**32 - 1, 2**32 - 1), (0x1CB996FC, 0xBB002BE7)),
        ((0x243F6A88, 0x85A308D3), (0x13198A2E, 0x03707344), (0xC4923A9C, 0x483DF7A0)),
    ],
)
def test_known_answers(block, key, words):
    """The test vectors that Random123 publishes for threefry2x32 with 20 rounds."""
    out = threefry([ints(k) for k in key], [ints(b) for b in block])
    assert tuple(int(numpy(word).view("uint32")[0]) for word in out) == words


def test_moments():
    key, counter = random_keys(50, 0), ops.arange(50, dtype="int32")
    shape = (31, 13, 5)  # an odd number of values: half a block is dropped
    u, n = numpy(uniform(key, counter, shape)), numpy(normal(key, counter, shape))
    assert u.shape == n.shape == (50, *shape) and u.dtype == n.dtype == np.float32
    assert 0 <= u.min() < 1e-3 and 0.999 < u.max() < 1
    count = u.size  # standard errors: 1 / sqrt(12 count), and so on; five of them
    assert abs(u.mean() - 0.5) < 5 / np.sqrt(12 * count)
    assert abs(u.var() - 1 / 12) < 5 / np.sqrt(180 * count)
    assert abs(n.mean()) < 5 / np.sqrt(count)
    assert abs(n.var() - 1) < 5 * np.sqrt(2 / count)
    assert abs((n**4).mean() - 3) < 5 * np.sqrt(96 / count)
    bits = numpy(random_bits(key, counter, shape)).view("uint32")
    for position in range(32):
        assert abs(((bits >> position) & 1).mean() - 0.5) < 5 * 0.5 / np.sqrt(count)


def test_streams_are_independent():
    """Neighbouring keys, counters and positions, and the two halves of a block: no correlation."""
    key, counter = np.meshgrid(np.arange(8, dtype="int32"), np.arange(8, dtype="int32"))
    n = numpy(
        normal(ops.convert_to_tensor(key.ravel()), ops.convert_to_tensor(counter.ravel()), (1000,))
    )
    correlation = np.corrcoef(n)
    np.fill_diagonal(correlation, 0)
    assert np.abs(correlation).max() < 5.5 / np.sqrt(1000)
    for shift in (1, 2, 500):
        assert abs((n[:, shift:] * n[:, :-shift]).mean()) < 5 / np.sqrt(64 * (1000 - shift))


def test_a_row_depends_on_its_own_key_and_counter_only():
    key, counter = random_keys(6, 3), ops.convert_to_tensor([0, 1, 10**9, -1, 5, 5], "int32")
    whole = numpy(uniform(key, counter, (4, 3)))
    for row in range(6):
        alone = numpy(uniform(key[row : row + 1], counter[row : row + 1], (4, 3)))
        np.testing.assert_array_equal(alone[0], whole[row])
    assert len(np.unique(whole[:, 0, 0])) == 6


def test_keys_follow_the_seed():
    seeds = keras.random.SeedGenerator(0)
    first, second = (numpy(random_keys(100, seeds)) for _ in range(2))
    assert len(np.unique(np.concatenate([first, second]))) == 200
    np.testing.assert_array_equal(numpy(random_keys(100, 7)), numpy(random_keys(100, 7)))
