import subprocess

import robustzoo.provenance as module
from robustzoo.provenance import provenance


def test_commit_tells_whether_the_code_was_changed(tmp_path, monkeypatch):
    def git(*words):
        subprocess.run(["git", "-C", tmp_path, *words], check=True, capture_output=True)

    package = tmp_path / "robustzoo" / "zoo"
    package.mkdir(parents=True)
    monkeypatch.setattr(module, "__file__", str(package.parent / "provenance.py"))
    assert provenance()["commit"] is None  # no checkout
    (package / "registry.json").write_text("{}")
    (package / "load.py").write_text("")
    git("init")
    git("add", ".")
    git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-m", "first")
    commit = provenance()["commit"]
    assert len(commit) == 40
    (package / "registry.json").write_text('{"a": 1}')
    assert provenance()["commit"] == commit
    (package / "load.py").write_text("changed")
    assert provenance()["commit"] == f"{commit}-modified"


def test_versions_and_device_are_named():
    record = provenance()
    assert record["backend"] in record["versions"] and record["versions"]["keras"]
    assert record["device"]
