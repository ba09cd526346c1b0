"""`robustzoo.load` of a folder against building the model and reading the file by hand.

python -m benchmarks.loading
"""

import tempfile
from pathlib import Path

import keras
import safetensors.numpy

import robustzoo
from benchmarks.timing import finish, interleaved, options, report
from robustzoo import architectures

CONFIG = {
    "architecture": "small_cnn",
    "arguments": {},
    "dataset": "mnist",
    "threat": None,
    "defense": "standard",
    "input_shape": [28, 28, 1],
    "labels": [str(digit) for digit in range(10)],
    "recipe": None,
    "license": "apache-2.0",
}


def main():
    given = options("robustzoo.load against building and reading by hand", rounds=101, seconds=0)
    with tempfile.TemporaryDirectory() as parent:
        model = architectures.build(CONFIG["architecture"], CONFIG["arguments"])
        folder = robustzoo.save(model, Path(parent) / "small-cnn", CONFIG)
        work = {
            "by hand": lambda: by_hand(folder),
            "robustzoo.load": lambda: robustzoo.load(folder),
        }
        _check_same_weights(*[call() for call in work.values()])
        times, _ = interleaved(work, given.rounds, given.seconds)
    title = f"loading small_cnn, {model.count_params():,} weights"
    finish(report(title, times, "by hand"))


def by_hand(folder: Path) -> keras.Model:
    """No hash, no check: build, read, assign."""
    model = architectures.build(CONFIG["architecture"], CONFIG["arguments"])
    arrays = safetensors.numpy.load_file(folder / "model.safetensors")
    for variable in model.weights:
        variable.assign(arrays[variable.path.removeprefix(f"{model.name}/")])
    return model


def _check_same_weights(one, other):
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        assert (a == b).all()


if __name__ == "__main__":
    main()
