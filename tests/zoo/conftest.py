"""One tiny model folder, built once, and a Hub on loopback that the real client talks to."""

import shutil

import keras
import pytest
from huggingface_hub import constants
from huggingface_hub.utils import disable_progress_bars

from robustzoo import architectures, zoo
from robustzoo.zoo import hub, locate, registry
from tests.zoo.hub_server import HubServer, Repository, point_client
from tests.zoo.records import CONFIG, EVALUATION, TRAINING


@pytest.fixture(scope="session")
def model():
    return architectures.build(CONFIG["architecture"], CONFIG["arguments"])


@pytest.fixture(scope="session")
def saved(model, tmp_path_factory):
    """A whole folder that no test may change."""
    folder = tmp_path_factory.mktemp("models") / "trades-tiny"
    return zoo.save(model, folder, CONFIG, TRAINING, EVALUATION)


@pytest.fixture
def folder(saved, tmp_path):
    """A copy of it that a test may damage."""
    return shutil.copytree(saved, tmp_path / "trades-tiny")


@pytest.fixture
def checkout(folder, tmp_path, monkeypatch):
    """An empty registry and a model_cards/ with one folder, not registered yet."""
    monkeypatch.setattr(locate, "CHECKOUT", tmp_path)
    monkeypatch.setattr(locate, "BUNDLED", tmp_path / "bundled")
    monkeypatch.setattr(registry, "REGISTRY", tmp_path / "registry.json")
    registry.REGISTRY.write_text("{}")
    return folder


@pytest.fixture
def assigned(monkeypatch):
    """Paths of the variables that were assigned, of any model."""
    paths, original = [], keras.Variable.assign

    def assign(variable, value):
        paths.append(variable.path)
        return original(variable, value)

    monkeypatch.setattr(keras.Variable, "assign", assign)
    return paths


@pytest.fixture
def server(monkeypatch, tmp_path):
    """A Hub, with the client and its cache pointed to it."""
    with HubServer() as hub_server:
        point_client(monkeypatch, hub_server.endpoint)
        yield hub_server


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    """A cache per test; the client reads its environment once, at import."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setenv("HF_TOKEN", "hf_test")
    monkeypatch.setattr(hub, "RETRY_SECONDS", 0.01)
    disable_progress_bars()


@pytest.fixture
def published(server, saved):
    """(server, "hf://org/tiny@<full commit>") of the saved folder."""
    repository = server.repositories["org/tiny"] = Repository()
    commit = repository.commit({path.name: path.read_bytes() for path in saved.iterdir()})
    return server, f"hf://org/tiny@{commit}"
