"""Half-done work on disk: when it is written, and whose it is."""

import sys
import types

import keras
import numpy as np
import pytest
from tiny import tiny_classifier, tiny_linear

from robustzoo.journal import Journal

MODULE = sys.modules[Journal.__module__]
ONE = {"a": np.arange(3)}


def test_what_was_put_is_there_again_until_it_is_closed(tmp_path):
    model = tiny_linear()
    first = Journal(tmp_path / "new", model, ["x", 1])
    assert "a" not in first
    first.put(ONE)
    again = Journal(tmp_path / "new", model, ["x", 1])
    np.testing.assert_array_equal(again.get("a"), ONE["a"])
    assert "a" not in Journal(tmp_path / "new", model, ["x", 2])
    again.close()
    assert "a" not in Journal(tmp_path / "new", model, ["x", 1])


def test_is_of_one_model(tmp_path):
    model = tiny_linear()
    Journal(tmp_path, model, []).put(ONE)
    assert "a" in Journal(tmp_path, model, [])
    heated = keras.Sequential([model, keras.layers.Rescaling(2.0)])
    for other in (tiny_classifier(), heated):
        assert "a" not in Journal(tmp_path, other, [])
    model.set_weights([weight + 1 for weight in model.get_weights()])
    assert "a" not in Journal(tmp_path, model, [])


def test_is_of_one_state_of_the_code(tmp_path, monkeypatch):
    package = tmp_path / "package"
    package.mkdir()
    (package / "journal.py").write_text("1")
    monkeypatch.setattr(MODULE, "__file__", str(package / "journal.py"))
    model = tiny_linear()
    Journal(tmp_path, model, []).put(ONE)
    assert "a" in Journal(tmp_path, model, [])
    (package / "other.py").write_text("2")
    assert "a" not in Journal(tmp_path, model, [])


def test_is_not_kept_of_a_model_that_cannot_tell_its_structure(tmp_path):
    class Closed(keras.Model):
        """Made from what JSON does not know."""

        def __init__(self, function):
            super().__init__()
            self.call = function

    journal = Journal(tmp_path, Closed(object()), [])
    journal.put(ONE)
    assert "a" in journal and not list(tmp_path.iterdir())


def test_is_written_no_more_often_than_asked(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(MODULE, "time", types.SimpleNamespace(monotonic=lambda: now[0]))
    model, written = tiny_linear(), []
    journal = Journal(tmp_path, model, [], every=10.0)
    for second in (105.0, 110.0, 115.0, 121.0):
        now[0] = second
        journal.put({str(second): np.zeros(1)})
        written.append(sorted(Journal(tmp_path, model, []).entries))
    whole = ["105.0", "110.0", "115.0", "121.0"]
    assert written == [[], whole[:2], whole[:2], whole]


@pytest.mark.parametrize("broken", [b"", b"no archive"])
def test_a_file_cut_short_is_begun_anew(tmp_path, broken):
    model = tiny_linear()
    Journal(tmp_path, model, []).put(ONE)
    (file,) = tmp_path.iterdir()
    file.write_bytes(broken)
    assert "a" not in Journal(tmp_path, model, [])
