"""The real Hub client against a Hub on loopback, and every fault that it may meet."""

import errno
import importlib.util
import os
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from huggingface_hub import HfApi, ModelCard, constants, file_download

from robustzoo import zoo
from robustzoo.zoo import registry
from robustzoo.zoo.folder import MismatchError
from robustzoo.zoo.weights import pack
from tests.zoo.hub_server import point_client
from tests.zoo.records import CONFIG

WEIGHTS = "model.safetensors"
# huggingface_hub 2.4 uploads in a way that its own HTTP library has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=<...>' to upload raw bytes")


def blob(file=WEIGHTS):
    """The blob in the client's cache that holds `file`."""
    (link,) = Path(constants.HF_HUB_CACHE).glob(f"models--*/snapshots/*/{file}")
    return link.resolve()


def flip(data):
    damaged = bytearray(data)
    damaged[len(damaged) // 2] ^= 1
    return bytes(damaged)


def content(server, file, repo="org/tiny"):
    repository = server.repositories[repo]
    return repository.commits[repository.branches["main"]][file]


def refused(uri, assigned, error, match):
    with pytest.raises(error, match=match):
        zoo.load(uri)
    assert not assigned


# The way that works.


def test_what_is_pushed_is_loaded_by_commit(model, server, folder, assigned):
    uri = f"hf://org/tiny@{zoo.push_to_hub(folder, 'org/tiny')}"
    assert pack(zoo.load(uri)) == pack(model)
    assert assigned
    done = len(server.requests)
    assert pack(zoo.load(uri)) == pack(model)
    assert len(server.requests) == done, "a cached full commit asks the Hub nothing"


def test_load_by_branch_and_tag_warns_with_the_commit_to_pin(model, server, folder):
    commit = zoo.push_to_hub(folder, "org/tiny", tag="v1")
    for revision in ("main", "v1"):
        with pytest.warns(UserWarning, match=f"not pinned.*write hf://org/tiny@{commit}"):
            loaded = zoo.load(f"hf://org/tiny@{revision}")
        assert pack(loaded) == pack(model)
    with pytest.warns(UserWarning, match="main is"):
        zoo.load("hf://org/tiny")
    with pytest.warns(UserWarning, match="v1 is"):
        zoo.load("hf://org/tiny", revision="v1")


def test_only_the_folder_is_pushed_and_listed(server, folder):
    (folder / ".token").write_text("secret")
    zoo.push_to_hub(folder, "org/tiny")
    files = set(HfApi().list_repo_files("org/tiny"))
    assert files == {p.name for p in folder.glob("[!.]*")} | {".gitattributes"}
    assert [ref.name for ref in HfApi().list_repo_refs("org/tiny").branches] == ["main"]


def test_what_the_folder_no_longer_holds_leaves_the_hub(server, folder):
    zoo.push_to_hub(folder, "org/tiny")
    (folder / "eval.json").unlink()
    zoo.write_card(folder)
    zoo.write_manifest(folder)
    zoo.push_to_hub(folder, "org/tiny")
    files = set(HfApi().list_repo_files("org/tiny"))
    assert files == {p.name for p in folder.glob("[!.]*")} | {".gitattributes"}


def test_the_card_is_read_back_as_data(published):
    card = ModelCard.load("org/tiny")
    assert card.data.library_name == "robustzoo"
    assert card.data.pipeline_tag == "image-classification"
    assert card.data.license == "apache-2.0"
    assert card.data.datasets == ["ylecun/mnist"]
    assert {"adversarial-robustness", "trades", "linf"} <= set(card.data.tags)
    clean, attacked = card.data.eval_results
    assert (clean.metric_name, clean.metric_value) == ("clean", 0.9931)
    assert (attacked.metric_name, attacked.metric_value) == ("PGD-40 x 3, Linf 3/10", 0.9512)
    assert attacked.metric_args["eps"] == "3/10"
    assert "robustzoo evaluate trades-mnist" in card.text


def test_a_tag_that_exists_is_not_moved(server, folder):
    first = zoo.push_to_hub(folder, "org/tiny", tag="v1")
    with pytest.raises(ValueError, match="has a tag 'v1' already"):
        zoo.push_to_hub(folder, "org/tiny", tag="v1")
    assert server.repositories["org/tiny"].tags == {"v1": first}


def test_a_folder_that_does_not_verify_is_not_pushed(server, folder):
    (folder / WEIGHTS).write_bytes(flip((folder / WEIGHTS).read_bytes()))
    with pytest.raises(MismatchError):
        zoo.push_to_hub(folder, "org/tiny")
    assert not server.requests


def test_every_request_names_the_library(published, monkeypatch):
    agents = []
    server, uri = published
    original = server.RequestHandlerClass.send

    def send(handler, *args):
        agents.append(handler.headers["User-Agent"])
        return original(handler, *args)

    monkeypatch.setattr(server.RequestHandlerClass, "send", send)
    zoo.load(uri)
    assert agents and all(agent.startswith("robustzoo/") for agent in agents)


def test_without_weights_they_are_not_fetched(published):
    server, uri = published
    before = len(server.requests)
    zoo.load(uri, weights=False)
    assert not any(WEIGHTS in request for request in server.requests[before:])


def test_download_gives_the_folder_and_cache_dir_is_honoured(published, tmp_path):
    path = zoo.download(published[1], cache_dir=tmp_path / "elsewhere")
    assert path.is_relative_to(tmp_path / "elsewhere")
    assert zoo.verify(path)["files"] == 5
    assert not Path(constants.HF_HUB_CACHE).exists()


def test_a_private_repository_is_created_private(server, folder):
    zoo.push_to_hub(folder, "org/tiny", private=True)
    assert server.repositories["org/tiny"].private


@pytest.mark.parametrize(
    ("uri", "match"),
    [
        ("hf://datasets/org/tiny", "must be hf://org/repo"),
        ("hf://org/tiny@main/config.json", "must be hf://org/repo"),
        ("hf://tiny", "tiny"),
        ("hf://", "hf://"),
        ("hf://org/../../etc", "hf://"),
    ],
)
def test_a_malformed_address_is_refused(server, uri, match):
    with pytest.raises(ValueError, match=match):
        zoo.load(uri)
    assert not server.requests


def test_two_revisions_are_refused(server):
    with pytest.raises(ValueError, match="names a revision already"):
        zoo.load("hf://org/tiny@main", revision="v1")


# A released name, from the Hub.


@pytest.fixture
def released(server, checkout):
    """(server, name): a released model that only the Hub has, pinned to its commit."""
    name = checkout.name
    zoo.register(checkout)
    commit = zoo.push_to_hub(checkout, f"robustzoo/{name}", tag="v1")
    zoo.register(checkout, revision=commit)
    checkout.rename(checkout.with_name("hidden"))
    return server, name


def test_a_released_name_comes_from_its_pinned_commit(released, model):
    server, name = released
    assert pack(zoo.load(name)) == pack(model)
    revision = registry.released_entry(name)["revision"]
    assert all(f"/resolve/{revision}/" in r for r in server.requests if "/resolve/" in r)


def test_a_released_name_ignores_what_became_of_branch_and_tag(released, model):
    server, name = released
    repository = server.repositories[f"robustzoo/{name}"]
    moved = {file: b"{}" for file in repository.commits[repository.branches["main"]]}
    repository.tags["v1"] = repository.commit(moved)
    assert pack(zoo.load(name)) == pack(model)


def test_another_manifest_is_not_the_release(released, assigned, tmp_path):
    server, name = released
    other = zoo.save(
        zoo.load(tmp_path / "hidden", weights=False), tmp_path / "other", CONFIG
    )  # a whole folder, only not the released one
    repository = server.repositories[f"robustzoo/{name}"]
    files = repository.commits[repository.branches["main"]]
    files.update({p.name: p.read_bytes() for p in other.iterdir()})
    del assigned[:]
    expected = registry.released_entry(name)["manifest_sha256"]
    refused(name, assigned, MismatchError, f"not the released one: expected sha256 {expected}")


def test_a_revision_of_a_released_name_is_what_was_asked_for(released, model):
    _, name = released
    with pytest.warns(UserWarning, match="v1 is"):
        loaded = zoo.load(name, revision="v1")
    assert pack(loaded) == pack(model)


def test_a_released_name_that_is_not_published_yet(released, assigned):
    server, name = released
    server.repositories.clear()
    refused(name, assigned, FileNotFoundError, "not published yet")


# Faults. Each gives the right error, and no weight is ever assigned.


def test_tampered_at_the_server_with_the_same_size(published, assigned):
    server, uri = published
    server.bodies[WEIGHTS] = flip(content(server, WEIGHTS))
    refused(uri, assigned, MismatchError, "expected sha256 .* actual .*fetched twice")
    fetches = [r for r in server.requests if r.startswith("GET") and r.endswith(WEIGHTS)]
    assert len(fetches) == 2


def test_tampered_once_is_fetched_once_more(model, published, monkeypatch, caplog):
    server, uri = published
    good = content(server, WEIGHTS)
    bodies = [good, flip(good)]

    class Once(dict):
        def get(self, file, default):
            return bodies.pop() if file == WEIGHTS else default

    server.bodies = Once()
    assert pack(zoo.load(uri)) == pack(model)
    assert not bodies and "fetching it again" in caplog.text


@pytest.mark.parametrize("file", [WEIGHTS, "config.json", "README.md", "manifest.json"])
@pytest.mark.parametrize("damage", [flip, lambda data: data[:50]], ids=["flip", "truncate"])
def test_a_damaged_cache_blob_is_replaced(model, published, file, damage):
    _, uri = published
    zoo.load(uri)
    good = blob(file).read_bytes()
    blob(file).write_bytes(damage(good))
    assert pack(zoo.load(uri)) == pack(model)
    assert blob(file).read_bytes() == good


def test_a_damaged_cache_blob_offline_is_refused_and_kept(published, assigned):
    _, uri = published
    zoo.load(uri)
    blob().write_bytes(damaged := flip(blob().read_bytes()))
    del assigned[:]
    with pytest.raises(MismatchError, match="go online to fetch it again"):
        zoo.load(uri, local_files_only=True)
    assert not assigned and blob().read_bytes() == damaged


def test_discarding_never_follows_a_link_out_of_the_cache(published, tmp_path):
    _, uri = published
    zoo.load(uri)
    (link,) = Path(constants.HF_HUB_CACHE).glob(f"models--*/snapshots/*/{WEIGHTS}")
    precious = tmp_path / "thesis.txt"
    precious.write_text("x")
    link.unlink()
    link.symlink_to(precious)
    zoo.load(uri)
    assert precious.read_text() == "x"


def test_a_moved_tag_is_said_and_followed_only_where_not_pinned(model, folder, published):
    server, uri = published
    repository = server.repositories["org/tiny"]
    repository.tags["v1"] = old = repository.branches["main"]
    with pytest.warns(UserWarning, match="v1 is"):
        zoo.load("hf://org/tiny@v1")
    other = zoo.load(folder, weights=False)
    zoo.save(other, folder, CONFIG)
    repository.tags["v1"] = new = zoo.push_to_hub(folder, "org/tiny")
    with pytest.warns(UserWarning, match=f"v1 is {new} now, and was {old} before"):
        loaded = zoo.load("hf://org/tiny@v1")
    assert pack(loaded) == pack(other)
    assert pack(zoo.load(uri)) == pack(model)


def test_a_deleted_repository(published, assigned):
    server, uri = published
    server.repositories.clear()
    refused(uri, assigned, FileNotFoundError, "there is no repository org/tiny")


def test_a_deleted_repository_that_is_cached_at_the_pinned_commit_still_loads(model, published):
    server, uri = published
    zoo.load(uri)
    server.repositories.clear()
    assert pack(zoo.load(uri)) == pack(model)


def test_a_revision_that_is_not_there(published, assigned):
    refused("hf://org/tiny@v9", assigned, FileNotFoundError, "no branch, tag or commit 'v9'")
    refused(f"hf://org/tiny@{'0' * 40}", assigned, FileNotFoundError, "no branch, tag or commit")


def test_a_repository_that_is_no_model_folder(server, assigned):
    HfApi().create_repo("org/tiny")
    refused("hf://org/tiny@main", assigned, FileNotFoundError, "no manifest.json, so it is no")


def test_a_web_page_instead_of_weights(published, assigned):
    server, uri = published
    size = len(content(server, WEIGHTS))
    server.bodies[WEIGHTS] = b"<!DOCTYPE html><html>log in</html>".ljust(size)
    refused(uri, assigned, MismatchError, "HTML page")


def test_a_web_page_instead_of_every_answer(published, assigned):
    server, uri = published
    server.page = b"<!DOCTYPE html><html>log in</html>"
    refused(uri, assigned, ConnectionError, "not a Hub's: .*a proxy with a login page")


def test_a_download_that_ends_early(published, assigned):
    server, uri = published
    server.bodies[WEIGHTS] = content(server, WEIGHTS)[:-10]
    refused(uri, assigned, ConnectionError, "should be of size")


def test_a_size_that_is_not_the_manifests_is_refused_before_the_download(published, assigned):
    server, uri = published
    server.sizes[WEIGHTS] = 2**40
    before = len(server.requests)
    refused(uri, assigned, MismatchError, f"expected {len(content(server, WEIGHTS))} bytes")
    assert not any(r.startswith("GET") and WEIGHTS in r for r in server.requests[before:])


def test_a_manifest_of_absurd_size_is_refused_before_the_download(published, assigned):
    server, uri = published
    server.sizes["manifest.json"] = 2**40
    before = len(server.requests)
    refused(uri, assigned, ValueError, "more than 65536")
    assert not any(r.startswith("GET") for r in server.requests[before:])


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_server_in_trouble(published, assigned, status):
    server, uri = published
    server.statuses = [status]
    refused(uri, assigned, ConnectionError, f"answered {status} when asked for manifest.json")


def test_a_server_in_trouble_for_a_moment(model, published):
    server, uri = published
    server.statuses = [503, None]
    assert pack(zoo.load(uri)) == pack(model)


def test_another_commit_than_the_one_asked_for(published, assigned):
    server, uri = published
    repository = server.repositories["org/tiny"]
    lying = repository.commit(repository.commits[repository.branches["main"]])
    repository.resolve = lambda _: lying
    refused(uri, assigned, ValueError, f"answered with {lying}")


def refuse_connections(monkeypatch):
    point_client(monkeypatch, "http://127.0.0.1:9")  # the discard port, where nobody listens


def test_connection_refused_is_said_at_once(published, assigned, monkeypatch):
    server, uri = published
    refuse_connections(monkeypatch)
    started = time.monotonic()
    refused(uri, assigned, ConnectionError, "cannot reach http://127.0.0.1:9 for manifest.json")
    assert time.monotonic() - started < 3


def test_connection_refused_in_the_middle_is_said_at_once(published, assigned, monkeypatch):
    server, uri = published
    zoo.load(uri, weights=False)
    refuse_connections(monkeypatch)
    started = time.monotonic()
    refused(uri, assigned, ConnectionError, "cannot reach .* for model.safetensors")
    assert time.monotonic() - started < 3


def test_connection_refused_with_a_cached_branch_uses_it_and_says_so(model, published, monkeypatch):
    server, uri = published
    with pytest.warns(UserWarning, match="not pinned"):
        zoo.load("hf://org/tiny@main")
    refuse_connections(monkeypatch)
    with pytest.warns(UserWarning, match=f"using the cached commit {uri.partition('@')[2]}"):
        loaded = zoo.load("hf://org/tiny@main")
    assert pack(loaded) == pack(model)


def test_offline_asks_nobody(model, published, assigned, monkeypatch):
    server, uri = published
    with pytest.raises(FileNotFoundError, match="asking the Hub is switched off"):
        zoo.load(uri, local_files_only=True)
    with pytest.warns(UserWarning, match="not pinned"):
        zoo.load("hf://org/tiny@main")
    done = len(server.requests)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert pack(zoo.load(uri)) == pack(model)
    commit = uri.partition("@")[2]
    said = f"not pinned: main was {commit} when it was fetched; write hf://org/tiny@{commit}"
    with pytest.warns(UserWarning, match=said):
        assert pack(zoo.load("hf://org/tiny@main")) == pack(model)
    assert len(server.requests) == done


def test_offline_with_half_a_folder_is_refused(published, assigned):
    _, uri = published
    zoo.load(uri, weights=False)
    with pytest.raises(FileNotFoundError, match="model.safetensors of .* switched off"):
        zoo.load(uri, local_files_only=True)
    assert not assigned


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_names_the_cache(published, assigned, monkeypatch, code):
    def full(url, temp_file, **_):
        temp_file.write(b"half")
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(file_download, "http_get", full)
    with pytest.raises(OSError, match=f"{os.strerror(code)}; choose another by cache_dir") as info:
        zoo.load(published[1])
    assert info.value.errno == code and not assigned
    assert constants.HF_HUB_CACHE in str(info.value)


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES])
def test_a_read_only_cache_names_the_cache(published, assigned, monkeypatch, code):
    def read_only(*_, **__):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(file_download.os, "makedirs", read_only)
    with pytest.raises(OSError, match="cannot write manifest.json .* choose another") as info:
        zoo.load(published[1])
    assert info.value.errno == code and not assigned


def mounts():
    """Whether this user may mount a file system of its own."""
    try:
        return subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode == 0
    except OSError:
        return False


def subprocess_load(uri, endpoint, cache, prepare=""):
    """Standard output of `load` in a process of its own, with only the client's environment set."""
    code = f"""
        import robustzoo.zoo as zoo
        try:
            zoo.load({uri!r})
            print("loaded")
        except OSError as error:
            print(type(error).__name__, error)
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    if prepare:
        command = ["unshare", "-rm", "sh", "-c", f'{prepare} && exec "$@"', "sh", *command]
    environment = {
        **os.environ,
        "HF_ENDPOINT": endpoint,
        "HF_HUB_CACHE": str(cache),
        "HF_HUB_DISABLE_XET": "1",
        "PYTHONPATH": str(Path(zoo.__file__).parents[2]),
    }
    return subprocess.run(command, capture_output=True, text=True, env=environment).stdout


def test_the_clients_environment_is_honoured(published, tmp_path):
    server, uri = published
    cache = tmp_path / "by environment"
    assert subprocess_load(uri, server.endpoint, cache) == "loaded\n"
    assert (cache / "models--org--tiny").is_dir()


@pytest.mark.skipif(not mounts(), reason="this user may not mount a file system")
def test_disks_that_are_really_full_or_read_only(published, tmp_path):
    server, uri = published
    cache = tmp_path / "disk"
    cache.mkdir()
    mount = f"mount -t tmpfs -o size=4k tmpfs '{cache}'"
    full = subprocess_load(uri, server.endpoint, cache, mount)
    assert full.startswith("OSError [Errno 28] cannot write") and "choose another" in full
    mount = f"mount -t tmpfs -o ro tmpfs '{cache}'"
    read_only = subprocess_load(uri, server.endpoint, cache, mount)
    assert read_only.startswith("OSError [Errno 30] cannot write") and "choose another" in read_only


# An independent server.


@pytest.fixture
def olah(folder, tmp_path, monkeypatch):
    """(endpoint, commit) of the folder in a git repository that olah serves as a Hub."""
    repository = tmp_path / "mirrors" / "models" / "org" / "tiny"
    repository.parent.mkdir(parents=True)
    folder.rename(repository)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(repository)]
    for command in (["init", "-qb", "main"], ["add", "."], ["commit", "-qm", "x"], ["tag", "v1"]):
        subprocess.run([*git, *command], check=True)
    commit = subprocess.check_output([*git, "rev-parse", "HEAD"], text=True).strip()
    port = free_port()
    (tmp_path / "olah.toml").write_text(OLAH.format(port=port, folder=tmp_path))
    command = [sys.executable, "-m", "olah.server", "-c", "olah.toml"]
    with open(tmp_path / "olah.log", "w") as log:
        process = subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log)
    try:
        wait_for(port, process)
        yield f"http://127.0.0.1:{port}", commit
    finally:
        process.terminate()
        process.wait(10)


OLAH = """
[basic]
host = "127.0.0.1"
port = {port}
hf-netloc = "127.0.0.1:9"
hf-lfs-netloc = "127.0.0.1:9"
repos-path = "{folder}/repos"
mirrors-path = ["{folder}/mirrors"]
[accessibility]
offline = true
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port, process):
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert process.poll() is None, "olah ended"
        time.sleep(0.1)
    raise AssertionError("olah did not start in 30 seconds")


@pytest.mark.skipif(importlib.util.find_spec("olah") is None, reason="olah is not installed")
def test_an_independent_server(olah, model, monkeypatch, assigned):
    endpoint, commit = olah
    point_client(monkeypatch, endpoint)
    assert pack(zoo.load(f"hf://org/tiny@{commit}")) == pack(model)
    for revision in ("main", "v1"):
        with pytest.warns(UserWarning, match=f"write hf://org/tiny@{commit}"):
            loaded = zoo.load(f"hf://org/tiny@{revision}")
        assert pack(loaded) == pack(model)
    good = blob().read_bytes()
    blob().write_bytes(flip(good))
    assert pack(zoo.load(f"hf://org/tiny@{commit}")) == pack(model)
    assert blob().read_bytes() == good
    del assigned[:]
    refused("hf://org/other@main", assigned, OSError, "org/other")
