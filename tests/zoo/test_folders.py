"""Saving, and loading from a folder: what is whole gives the same logits, all else is refused."""

import difflib
import json
import os
import pickle
import shutil
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers, ops
from safetensors.numpy import load as read_safetensors
from safetensors.numpy import save as safetensors

from robustzoo import architectures, zoo
from robustzoo.hashes import sha256
from robustzoo.zoo.folder import MismatchError, write_json
from robustzoo.zoo.weights import assign, named_weights, pack, unpack
from tests.zoo.records import CONFIG, EVALUATION, TRAINING

IMAGES = np.random.default_rng(0).uniform(size=(3, 4, 4, 1)).astype("float32")


def logits(model):
    return ops.convert_to_numpy(model(IMAGES))


def refused(folder, assigned, error, match):
    with pytest.raises(error, match=match):
        zoo.load(folder)
    assert not assigned


def rewrite(folder, **changes):
    """Changes config.json and renews the manifest, as an author with bad intent would."""
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **changes}))
    zoo.write_manifest(folder)


def replace_weights(folder, arrays):
    (folder / "model.safetensors").write_bytes(safetensors(arrays))
    zoo.write_manifest(folder)


def test_save_and_load_give_the_same_logits(model, saved, assigned):
    loaded = zoo.load(saved)
    np.testing.assert_array_equal(logits(loaded), logits(model))
    assert len(assigned) == len(model.weights)


def test_weights_have_one_name_however_many_models_there_are(model):
    others = [architectures.build(CONFIG["architecture"], CONFIG["arguments"]) for _ in range(2)]
    assert len({tuple(named_weights(m)) for m in [model, *others]}) == 1


def test_names_of_a_sequential_model_do_not_hold_its_own_number():
    def build():
        return keras.Sequential([keras.Input((2,)), layers.Dense(2, name="logits")])

    assert (
        list(named_weights(build()))
        == list(named_weights(build()))
        == [
            "logits/kernel",
            "logits/bias",
        ]
    )


def test_two_weights_of_one_name_are_refused():
    def part():
        inputs = keras.Input((2,))
        return keras.Model(inputs, layers.Dense(2, name="a")(inputs))

    twice = keras.Sequential([keras.Input((2,)), part(), part()])
    with pytest.raises(ValueError, match="two weights .* named 'a/kernel'"):
        pack(twice)


def test_random_seeds_are_no_weights():
    noisy = keras.Sequential([keras.Input((2,)), layers.Dropout(0.5), layers.Dense(2, name="a")])
    assert list(named_weights(noisy)) == ["a/kernel", "a/bias"]


@pytest.mark.parametrize("name", [None, "", 5])
def test_what_is_no_name_is_refused(name):
    with pytest.raises(ValueError, match="named by text or by a Path"):
        zoo.load(name)


def test_without_weights_only_the_architecture_is_loaded(model, folder, assigned):
    (folder / "model.safetensors").unlink()
    fresh = zoo.load(folder, weights=False)
    assert fresh.count_params() == model.count_params()
    assert not assigned


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "bfloat16"])
def test_dtype_is_the_policy_of_the_model_and_of_nothing_else(model, saved, dtype):
    before = keras.config.dtype_policy().name
    loaded = zoo.load(saved, dtype=dtype)
    assert keras.config.dtype_policy().name == before
    assert dtype in {layer.dtype_policy.name for layer in loaded.layers}
    np.testing.assert_allclose(logits(loaded), logits(model), atol=0.05)


def test_unknown_dtype_is_refused_and_the_policy_kept(saved):
    before = keras.config.dtype_policy().name
    with pytest.raises(ValueError, match="Received: 'bfloat61'; closest: bfloat16"):
        zoo.load(saved, dtype="bfloat61")
    assert keras.config.dtype_policy().name == before


def test_a_model_in_memory_at_low_precision_is_stored_as_float32(saved, tmp_path):
    low = zoo.load(saved, dtype="bfloat16")
    again = zoo.save(low, tmp_path / "again", CONFIG)
    arrays = read_safetensors((again / "model.safetensors").read_bytes())
    assert {str(a.dtype) for a in arrays.values()} == {"float32"}
    np.testing.assert_allclose(logits(zoo.load(again)), logits(low), atol=0.05)


def test_saving_again_replaces_the_folder_and_its_records(model, folder):
    zoo.save(model, folder, CONFIG)
    assert sorted(os.listdir(folder)) == [
        "README.md",
        "config.json",
        "manifest.json",
        "model.safetensors",
    ]
    assert "Not measured." in (folder / "README.md").read_text()
    assert os.listdir(folder.parent) == [folder.name]


def test_equal_models_give_equal_manifests(model, saved, tmp_path):
    again = zoo.save(model, tmp_path / saved.name, CONFIG, TRAINING, EVALUATION)
    assert (again / "manifest.json").read_bytes() == (saved / "manifest.json").read_bytes()


def test_saving_over_a_folder_of_something_else_is_refused(model, tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("x")
    with pytest.raises(FileExistsError, match="chapter.tex"):
        zoo.save(model, tmp_path / "thesis", CONFIG)
    assert (tmp_path / "thesis" / "chapter.tex").read_text() == "x"


def test_an_interrupted_save_leaves_the_former_folder(model, folder, monkeypatch):
    before = {p.name: p.read_bytes() for p in folder.iterdir()}

    def fail(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.modules["robustzoo.zoo.save"], "write_manifest", fail)
    with pytest.raises(KeyboardInterrupt):
        zoo.save(model, folder, CONFIG)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before
    assert os.listdir(folder.parent) == [folder.name]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_saving_what_is_not_finite_is_refused(value, tmp_path):
    bad = architectures.build(CONFIG["architecture"], CONFIG["arguments"])
    bad.weights[0].assign(np.full(bad.weights[0].shape, value, "float32"))
    with pytest.raises(ValueError, match="NaN or Inf"):
        zoo.save(bad, tmp_path / "bad", CONFIG)
    assert not list(tmp_path.iterdir())


def test_saving_a_model_that_the_config_does_not_describe_is_refused(tmp_path):
    other = architectures.build("mlp", {**CONFIG["arguments"], "widths": [6]})
    with pytest.raises(ValueError, match=r"must be float32\(16, 5\)\. Received: float32\(16, 6\)"):
        zoo.save(other, tmp_path / "bad", CONFIG)
    assert not list(tmp_path.iterdir())


def test_one_flipped_bit_in_any_file_is_refused(folder, assigned):
    for path in sorted(folder.iterdir()):
        whole = path.read_bytes()
        for position in np.linspace(0, len(whole) - 1, 12, dtype=int):
            damaged = bytearray(whole)
            damaged[position] ^= 1 << int(position) % 8
            path.write_bytes(damaged)
            refused(folder, assigned, MismatchError, "expected|manifest.json")
        path.write_bytes(whole)
    zoo.load(folder)


@pytest.mark.parametrize("length", [0, 100, -1])
def test_a_truncated_file_is_refused_with_both_sizes(folder, assigned, length):
    path = folder / "model.safetensors"
    size = len(path.read_bytes())
    path.write_bytes(path.read_bytes()[:length])
    actual = path.stat().st_size
    refused(folder, assigned, MismatchError, f"expected {size} bytes, actual {actual}")


def test_a_web_page_in_place_of_weights_is_named_as_such(folder, assigned):
    (folder / "model.safetensors").write_bytes(b"<!DOCTYPE html><html>log in</html>")
    refused(folder, assigned, MismatchError, "HTML page")


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a/b", "..", "weights.pkl"])
def test_a_manifest_that_lists_other_files_is_refused(folder, assigned, name):
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest[name] = {"sha256": "0" * 64, "size": 1}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    refused(folder, assigned, ValueError, "a model folder holds only config.json")


@pytest.mark.parametrize(
    "entry",
    [None, {}, {"sha256": "0" * 63, "size": 1}, {"sha256": "0" * 64, "size": -1},
     {"sha256": "0" * 64, "size": 1.5}, {"sha256": "0" * 64, "size": True}],
)  # fmt: skip
def test_a_malformed_manifest_entry_is_refused(folder, assigned, entry):
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["config.json"] = entry
    (folder / "manifest.json").write_text(json.dumps(manifest))
    refused(folder, assigned, ValueError, "manifest.json")


@pytest.mark.parametrize(
    "text",
    [b"", b"[]", b"{", b'{"a": 1, "a": 2}', b"[" * 50000, b"\xff\xfe", b"{}" + b" " * 70000],
)
def test_a_manifest_that_is_no_json_object_is_refused(folder, assigned, text):
    (folder / "manifest.json").write_bytes(text)
    refused(folder, assigned, ValueError, "manifest.json")


def test_declared_sizes_beyond_the_cap_are_refused_before_any_file_is_read(folder, assigned):
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["model.safetensors"]["size"] = 2**40
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "config.json").unlink()  # were it read, the error would be another
    refused(folder, assigned, ValueError, "a model folder may have 268435456")


def test_a_pickle_beside_the_listed_files_is_refused_and_never_loaded(folder, assigned):
    class Bomb:
        def __reduce__(self):
            return os.abort, ()

    (folder / "model.pkl").write_bytes(pickle.dumps(Bomb()))
    refused(folder, assigned, ValueError, r"holds \['model.pkl'\], which manifest.json does not")


def test_a_pickle_named_as_weights_is_malformed_and_never_loaded(folder, assigned):
    (folder / "model.safetensors").write_bytes(pickle.dumps({"a": 1}))
    zoo.write_manifest(folder)
    refused(folder, assigned, ValueError, "model.safetensors is malformed")


def test_a_missing_file_is_named(folder, assigned):
    (folder / "model.safetensors").unlink()
    refused(folder, assigned, FileNotFoundError, "model.safetensors is missing")


def test_a_pipe_in_place_of_a_file_does_not_hang(folder, assigned):
    (folder / "config.json").unlink()
    os.mkfifo(folder / "config.json")
    refused(folder, assigned, FileNotFoundError, "config.json is missing")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"architecture": "mpl"}, "mlp"),
        ({"architecture": "keras.layers.Lambda"}, "keras.layers.Lambda"),
        ({"architecture": None}, "architecture must be printable text"),
        ({"arguments": {"width": [5]}}, "width"),
        ({"arguments": {"widths": ["x"]}}, "widths"),
        ({"arguments": {"widths": [10**9]}}, "widths"),
        ({"arguments": []}, "arguments must be an object"),
        ({"module": "os", "class_name": "system"}, "unknown key 'module'"),
        ({"treat": None}, "unknown key 'treat'.*closest: threat"),
        ({"threat": {"norm": "linf"}}, "threat lacks eps"),
        ({"threat": {"norm": "l3", "eps": "1"}}, "norm must be one of linf"),
        ({"threat": {"norm": "linf", "eps": 0.3}}, "eps must be exact text"),
        ({"threat": {"norm": "linf", "eps": "1/0"}}, "eps must be exact text"),
        ({"threat": {"norm": "linf", "eps": "1e99999999"}}, "eps must be exact text"),
        ({"threat": {"norm": "linf", "eps": "0"}}, "eps must be exact text"),
        ({"input_shape": [4, 4]}, "input_shape must be"),
        ({"input_shape": [4, 4, True]}, "input_shape must be"),
        ({"input_shape": [4, 4, 3]}, r"the model takes \(4, 4, 1\)"),
        ({"labels": ["a", "b"]}, "2 labels for a model of 3 classes"),
        ({"labels": ["a", "a", "b"]}, "labels must differ"),
        ({"labels": "abc"}, "labels must be a list"),
        ({"dataset": "\x1b[2J"}, "dataset must be printable text"),
        ({"license": "x" * 201}, "license must be printable text"),
        ({"recipe": 5}, "recipe must be printable text"),
        (
            {"arguments": {"widths": [[[[[[[[[[[[[[[[5]]]]]]]]]]]]]]]]}},
            "arguments: widths lies too deep",
        ),
        ({"arguments": {"widths": [3000] * 16}}, "mlp would have 54[0-9]{7} bytes of weights"),
    ],
)
def test_a_bad_config_is_refused(folder, assigned, change, match):
    rewrite(folder, **change)
    refused(folder, assigned, ValueError, match)


@pytest.mark.parametrize(
    ("members", "match"),
    [
        (4, "ensemble would have 32[0-9]{7} bytes of weights; a model folder may have 268435456"),
        (64, "the config describes 65 models, more than 64"),
    ],
)
def test_an_ensemble_of_more_than_a_folder_holds_is_refused(folder, members, match):
    wide = {"architecture": "mlp", "arguments": {"widths": [4096, 4096]}}  # 80 MB of weights
    rewrite(folder, architecture="ensemble", arguments={"members": [wide] * members})
    with pytest.raises(ValueError, match=match):
        zoo.load(folder)


def test_a_config_that_lacks_a_key_is_refused(folder, assigned):
    (folder / "config.json").write_text(json.dumps({"architecture": "mlp"}))
    zoo.write_manifest(folder)
    refused(folder, assigned, ValueError, "config.json lacks dataset")


def test_weights_of_another_architecture_are_refused(folder, assigned):
    replace_weights(folder, {"conv1/kernel": np.zeros((3, 3, 1, 4), "float32")})
    refused(folder, assigned, ValueError, r"another architecture: 4 missing .* 1 unknown")


def test_few_of_many_unknown_names_are_compared(folder, assigned, monkeypatch):
    compared, original = [], difflib.get_close_matches

    def spy(word, names, count):
        compared.extend(names)
        return original(word, names, count)

    monkeypatch.setattr(difflib, "get_close_matches", spy)
    replace_weights(folder, {f"conv{i}/kernel": np.zeros(1, "float32") for i in range(5000)})
    refused(folder, assigned, ValueError, "4 missing .* 5000 unknown")
    assert 0 < len(compared) <= 300


def test_one_weight_too_many_is_refused(model, folder, assigned):
    arrays = read_safetensors(pack(model))
    replace_weights(folder, {**arrays, "extra": np.zeros(1, "float32")})
    refused(folder, assigned, ValueError, r"0 missing \[\], 1 unknown \['extra'\]")


@pytest.mark.parametrize("dtype", ["float64", "float16", "int32"])
def test_weights_of_another_dtype_are_refused(model, folder, assigned, dtype):
    arrays = read_safetensors(pack(model))
    replace_weights(folder, {name: a.astype(dtype) for name, a in arrays.items()})
    refused(folder, assigned, ValueError, "dtype|float32")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_weight_that_is_not_finite_is_refused(model, folder, assigned, value):
    arrays = read_safetensors(pack(model))
    name = list(arrays)[-1]
    arrays[name] = arrays[name].copy()
    arrays[name].flat[-1] = value
    replace_weights(folder, arrays)
    refused(folder, assigned, ValueError, f"{name} has 1 values that are NaN or Inf")


def tensor(begin=0, end=8, shape=(2,), dtype="F32"):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}


@pytest.mark.parametrize(
    ("header", "data"),
    [
        ({"a": tensor(0, 2**42, [2**40])}, 8),
        ({"a": tensor(), "b": tensor()}, 8),
        ({"a": tensor(4, 12)}, 12),
        ({"a": tensor()}, 12),
        ({"a": tensor()}, 4),
        ({"a": tensor(0, 4)}, 4),
        ({"a": tensor(8, 0)}, 8),
        ({"a": tensor(shape=[-2])}, 8),
        ({"a": tensor(shape=[True, 2])}, 8),
        ({"a": tensor(shape=[2.0])}, 8),
        ({"a": {**tensor(), "data_offsets": [0]}}, 8),
        ({"a": {**tensor(), "data_offsets": "08"}}, 8),
        ({"a": {**tensor(), "dtype": ["F32"]}}, 8),
        ({"a": {"dtype": "F32"}}, 8),
        ({"a": None}, 8),
        ({"a": tensor(0, 4, [1] * 9)}, 4),
        ({"a": tensor(0, 0, [0, 2**31])}, 0),
        ({"\x1b[2J": tensor()}, 8),
        ({"a" * 201: tensor()}, 8),
        ([], 0),
    ],
)
def test_a_header_that_does_not_fit_its_data_is_refused(folder, assigned, header, data):
    header = json.dumps(header).encode()
    file = len(header).to_bytes(8, "little") + header + bytes(data)
    (folder / "model.safetensors").write_bytes(file)
    zoo.write_manifest(folder)
    refused(folder, assigned, ValueError, "model.safetensors( is malformed|: a has dtype)")


def test_a_shape_without_end_is_refused_at_once_and_in_few_words(folder, assigned):
    header = json.dumps({"a": tensor(shape=[2] * 10**6)}).encode()
    (folder / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    zoo.write_manifest(folder)
    with pytest.raises(ValueError, match="model.safetensors is malformed: a is") as info:
        zoo.load(folder)
    assert len(str(info.value)) < 1000 and not assigned


@pytest.mark.parametrize("file", [b"", b"\x01", b"\xff" * 8, b"\x02" + bytes(7) + b"{", bytes(8)])
def test_a_header_that_is_no_header_is_refused(folder, assigned, file):
    (folder / "model.safetensors").write_bytes(file)
    zoo.write_manifest(folder)
    refused(folder, assigned, ValueError, "model.safetensors is malformed")


def test_weights_are_read_as_the_safetensors_library_reads_them():
    random = np.random.default_rng(0)
    arrays = {
        f"{dtype}/{i}": random.integers(0, 100, size=shape).astype(dtype)
        for dtype in ("float32", "int8", "uint16", "int64", "uint32")
        for i, shape in enumerate([(), (3,), (2, 0), (2, 3, 5)])
    }
    file = safetensors(arrays, metadata={"format": "pt"})
    theirs, ours = read_safetensors(file), unpack(file)
    assert set(ours) == set(theirs)
    for name, array in theirs.items():
        np.testing.assert_array_equal(ours[name], array, strict=True)


def test_a_refused_file_leaves_a_model_as_it_was(model):
    arrays = read_safetensors(pack(model))
    arrays = {name: a + 1 for name, a in arrays.items()}
    arrays[list(arrays)[-1]][...] = np.nan
    before = pack(model)
    with pytest.raises(ValueError, match="NaN"):
        assign(model, safetensors(arrays))
    assert pack(model) == before


def test_loading_never_deserialises_a_layer(saved, monkeypatch):
    def fail(*_, **__):
        raise AssertionError("a file must not choose what code runs")

    monkeypatch.setattr(keras.saving, "deserialize_keras_object", fail)
    monkeypatch.setattr(keras.models, "load_model", fail)
    monkeypatch.setattr(keras.Model, "from_config", fail)
    monkeypatch.setattr(pickle, "loads", fail)
    zoo.load(saved)


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        zoo.load(tmp_path / "nothing")
    with pytest.raises(ValueError, match="revision is for the Hub"):
        zoo.load(tmp_path, revision="main")


@pytest.mark.parametrize(
    ("record", "change", "match"),
    [
        ("training", {"seed": ...}, "training.json lacks seed"),
        ("evaluation", {"examples": ...}, "eval.json lacks examples"),
        ("evaluation", {"results": []}, "results must not be empty"),
        ("evaluation", {"worst_case_accuracy": 95.0}, r"accuracy must lie in \[0, 1\]"),
        ("evaluation", {"threat": {"norm": "linf", "eps": 0.3}}, "eps must be exact text"),
        ("evaluation", {"weights_sha256": "0" * 64}, "eval.json is of .* measure the model again"),
    ],
)
def test_a_bad_record_is_refused_before_anything_is_written(model, tmp_path, record, change, match):
    records = {"training": TRAINING, "evaluation": EVALUATION}
    changed = {**records[record], **change}
    records[record] = {key: value for key, value in changed.items() if value is not ...}
    with pytest.raises(ValueError, match=match):
        zoo.save(model, tmp_path / "bad", CONFIG, **records)
    assert not list(tmp_path.iterdir())


CLEAN = EVALUATION["results"][0]


@pytest.mark.parametrize(
    ("file", "change", "match"),
    [
        ("training.json", {"command": ...}, "training.json lacks command"),
        ("training.json", dict.fromkeys(TRAINING, ...), "training.json lacks commit"),
        ("training.json", {"device": "\x1b[2J"}, "training.json: device must be printable text"),
        ("training.json", {"device": "x" * 1001}, "device must be printable text of 0 to 1000"),
        ("training.json", {"settings": {"\x1b[2J": 1}}, "settings: a key must be printable"),
        ("training.json", {"seconds": "2 h"}, "seconds must be a whole number or a number"),
        ("training.json", {"seconds": True}, "seconds must be a whole number or a number"),
        ("training.json", {"seconds": float("inf")}, "seconds must be text or a finite number"),
        ("training.json", {"curve": [5]}, "an epoch of curve must be an object"),
        ("training.json", {"earlier": [{}]}, "an entry of earlier lacks commit"),
        ("training.json", {"published": {"FGSM": 0.5}}, "published lacks source"),
        ("training.json", {"published": {"source": 5}}, "published: source must be text"),
        (
            "training.json",
            {"published": {"FGSM": 56.1, "source": "x"}},
            r"training.json: published: accuracy must lie in \[0, 1\]. Received: 56.1",
        ),
        ("training.json", {"published": {"FGSM": "56", "source": "x"}}, "Received: '56'"),
        ("eval.json", dict.fromkeys(EVALUATION, ...), "eval.json lacks commit"),
        ("eval.json", {"interval": [0.5]}, "interval must be two ascending numbers"),
        ("eval.json", {"interval": [0.6, 0.5]}, r"interval .* Received: \[0.6, 0.5\]"),
        ("eval.json", {"interval": [0.6, 95.0]}, r"interval must be two ascending .* in \[0, 1\]"),
        ("eval.json", {"interval": [None, True]}, "interval must be two ascending numbers"),
        ("eval.json", {"results": [CLEAN | {"label": "\x1b[2J"}]}, "results: label must be print"),
        ("eval.json", {"results": [CLEAN | {"label": 5}]}, "a result: label must be text"),
        ("eval.json", {"results": 5}, "eval.json: results must be a list"),
        ("eval.json", {"results": [5]}, "a result must be an object"),
        ("eval.json", {"further": 5}, "eval.json: further must be a list"),
        ("eval.json", {"further": [5]}, "a further record must be an object"),
        ("eval.json", {"examples": "many"}, "examples must be a whole number. Received: 'many'"),
        ("eval.json", {"findings": [{"name": "x"}]}, "a finding lacks text"),
        ("eval.json", {"proved": {"examples": 9}}, "eval.json: proved lacks methods, tolerance"),
        ("eval.json", {"not_checked": [5]}, "an entry of not_checked must be printable text"),
        ("eval.json", {"weights_sha256": "0" * 64}, "sha256 0{64}, actual .*: measure the model"),
        (
            "eval.json",
            {"further": [EVALUATION | {"weights_sha256": "0" * 64}]},
            "sha256 0{64}, act",
        ),
    ],
)
def test_a_record_of_others_is_checked_before_it_is_shown_or_published(folder, file, change, match):
    record = json.loads((folder / file).read_text()) | change
    text = json.dumps({key: value for key, value in record.items() if value is not ...})
    (folder / file).write_text(text.replace("Infinity", "1e999"))  # which is a number in JSON
    zoo.write_manifest(folder)
    for use in (zoo.verify, zoo.info):
        with pytest.raises(ValueError, match=match):
            use(folder)


def test_an_evaluation_may_say_which_weights_it_is_of(model, tmp_path):
    mine = {"weights_sha256": sha256(pack(model))}
    evaluation = EVALUATION | mine | {"further": [EVALUATION | mine]}
    zoo.verify(zoo.save(model, tmp_path / "tiny", CONFIG, TRAINING, evaluation))


# Keras 3.15 on JAX with numpy 2.4: numpy.array(copy=False) of a JAX array warns.
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")
def test_export_is_a_file_for_plain_keras(model, saved, tmp_path):
    path = zoo.export(saved, tmp_path / "out.keras")
    np.testing.assert_allclose(logits(keras.models.load_model(path)), logits(model), atol=1e-6)
    with pytest.raises(ValueError, match="must end in .keras, e.g. out.keras"):
        zoo.export(model, tmp_path / "out.h5")
    with pytest.raises(FileNotFoundError, match="no folder"):
        zoo.export(model, tmp_path / "nowhere" / "out.keras")


def test_export_makes_layers_that_keras_has_those_of_keras(tmp_path):
    model = architectures.preact_resnet(10, 2, (8, 8, 3), mean=(0.5,) * 3, std=(0.2,) * 3)
    generator = np.random.default_rng(0)
    model.set_weights([generator.uniform(0.1, 0.2, w.shape) for w in model.get_weights()])
    again = keras.models.load_model(zoo.export(model, tmp_path / "net.keras"))
    assert all(type(layer).__module__.startswith("keras.") for layer in again.layers)
    x = generator.uniform(size=(2, 8, 8, 3)).astype("float32")
    np.testing.assert_allclose(*map(keras.ops.convert_to_numpy, (model(x), again(x))), rtol=1e-5)


def test_saving_leaves_a_folder_that_holds_a_readme_alone(tmp_path, saved, model):
    config = json.loads((saved / "config.json").read_text())
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "README.md").write_text("mine")
    with pytest.raises(FileExistsError, match="README.md"):
        zoo.save(model, tmp_path / "mine", config)


def test_export_warns_of_layers_that_need_their_package(tmp_path):
    class Mine(layers.Layer):
        def call(self, x):
            return x

    with pytest.warns(UserWarning, match="Mine are not Keras' own layers"):
        zoo.export(keras.Sequential([keras.Input((2,)), Mine()]), tmp_path / "mine.keras")


def test_a_copied_folder_verifies(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    report = zoo.verify(copy)
    assert report["files"] == 5
    assert (
        report["bytes"]
        == sum(p.stat().st_size for p in copy.iterdir()) - (copy / "manifest.json").stat().st_size
    )


def test_a_write_that_fails_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "registry.json"
    write_json(path, {"a": 1})

    def full(self, *args, **kwargs):
        self.open("w").close()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space left"):
        write_json(path, {"a": 2})
    assert json.loads(path.read_text()) == {"a": 1} and list(tmp_path.iterdir()) == [path]
