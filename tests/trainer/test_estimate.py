"""An estimate of a training counts its batches and validations, and leaves nothing behind."""

import itertools
from types import SimpleNamespace

from tests.trainer.runs import write_recipe
from training import estimate as module
from training.estimate import estimate


def test_counts_batches_and_validations(workplace, monkeypatch):
    """With a clock that shows a second more whenever it is looked at."""
    clock = itertools.count()
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: float(next(clock))))
    before = sorted(workplace.rglob("*"))
    # 13 batches, of which 3 are warm, and a validation before; then 3 epochs of 16 and 1.
    assert estimate(workplace / "tiny.py") == 14 + 3 * (16 + 1)
    assert sorted(workplace.rglob("*")) == before


def test_no_epochs_take_no_time(workplace):
    write_recipe(workplace, epochs=0)
    assert estimate(workplace / "tiny.py") == 0
