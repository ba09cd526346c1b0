"""Outputs of commands: whole or as they were, and in the place that was named."""

from pathlib import Path

import pytest

from robustzoo.writable import writable
from robustzoo.write_whole import write_whole


def test_writes_text_and_bytes(tmp_path):
    for content in ("é", b"\xff"):
        write_whole(tmp_path / "out", content)
        written = (tmp_path / "out").read_bytes()
        assert written == (content.encode() if isinstance(content, str) else content)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_what_was_there_stays_where_writing_fails(tmp_path, monkeypatch):
    (tmp_path / "out").write_text("former")
    write = Path.write_bytes

    def full(path, content):
        write(path, content[:1])
        raise OSError("the disk is full")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="full"):
        write_whole(tmp_path / "out", "new")
    assert (tmp_path / "out").read_text() == "former"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_link_stays_one(tmp_path):
    (tmp_path / "there").mkdir()
    link, target = tmp_path / "link", tmp_path / "there" / "out"
    link.symlink_to(target)
    write_whole(link, "new")
    assert link.is_symlink() and target.read_text() == "new"


def test_a_device_stays_one():
    write_whole(writable("/dev/null"), "new")
    assert Path("/dev/null").is_char_device()
