"""A built wheel, installed elsewhere, works with no network at all."""

import json
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]
MIB = 2**20
MODEL = "trades-mnist"
NO_NETWORK = """
import socket

def refuse(self, address):
    if self.family != socket.AF_UNIX:
        raise SystemExit(f"no network, but something connected to {address}")
    return connect(self, address)

connect, socket.socket.connect = socket.socket.connect, refuse
socket.socket.connect_ex = refuse
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT]
    subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
    (wheel,) = folder.iterdir()
    return wheel


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    """Sees the installed wheel before anything else, and no network."""
    site, home = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("home")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", site, wheel]
    subprocess.run(pip, check=True)
    (site / "sitecustomize.py").write_text(NO_NETWORK)
    kept = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
    return kept | {"PYTHONPATH": str(site), "HF_HOME": str(home)}


def run(environment, folder, *command):
    process = subprocess.run(
        list(map(str, command)), cwd=folder, env=environment, capture_output=True, text=True
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


def test_holds_the_package_and_its_small_models(wheel):
    with zipfile.ZipFile(wheel) as archive:
        sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
    assert {name.split("/")[0].split("-")[0] for name in sizes} == {"robustzoo"}
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    included = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    bundled = {}
    for name, size in sizes.items():
        if name.startswith("robustzoo/bundled/"):
            model = name.split("/")[2]
            bundled[model] = bundled.get(model, 0) + size
    assert included == {f"model_cards/{name}": f"robustzoo/bundled/{name}" for name in bundled}
    assert MODEL in bundled
    released = set(json.loads((ROOT / "robustzoo" / "zoo" / "registry.json").read_text()))
    assert set(bundled) <= released
    assert max(bundled.values()) < 2 * MIB and sum(bundled.values()) < 20 * MIB


def test_blocks_the_network(environment, tmp_path):
    code = "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9')"
    process = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True)
    assert b"no network, but something connected" in process.stderr


def test_loads_predicts_and_attacks(environment, tmp_path):
    stroke = np.zeros((28, 28), "uint8")
    stroke[5:23, 13:15] = 255
    Image.fromarray(stroke).save(tmp_path / "one.png")
    site = Path(environment["PYTHONPATH"])
    command = site / "bin" / "robustzoo"

    code = f"import robustzoo; print(robustzoo.load({MODEL!r}).output_shape, robustzoo.__file__)"
    loaded = run(environment, tmp_path, sys.executable, "-c", code)
    assert loaded == f"(None, 10) {site / 'robustzoo' / '__init__.py'}\n"

    predicted = run(environment, tmp_path, command, "predict", MODEL, "one.png")
    digit, probability = predicted.splitlines()[0].split("\t")
    assert digit == "1" and float(probability) > 0.5

    options = "--steps", "5", "--no-figure"
    run(environment, tmp_path, command, "attack", MODEL, "one.png", *options)
    with Image.open(tmp_path / "one-adversarial.png") as image:
        change = np.abs(np.asarray(image).astype(int) - stroke)
    assert 0 < change.max() <= 76  # 0.3 * 255 = 76.5
