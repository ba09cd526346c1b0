"""The question for other verifiers: the same function, the same box, the same statement."""

import re
import sys

import keras
import numpy as np
import pytest
from keras import layers

from robustzoo.certification import operations, write_onnx, write_vnnlib
from robustzoo.certification.arrays import FLOAT64
from robustzoo.certification.region import Region
from robustzoo.certification.write_onnx import WRITERS
from robustzoo.threats import L2, Linf
from tests.certification.nets import NETS, SHAPE, images, logits, randomised

onnx = pytest.importorskip("onnx")


def max_pool():
    """MaxPool as ONNX says; the reference counts the padding twice where strides are 1."""
    from onnx.reference.op_run import OpRun

    class MaxPool(OpRun):
        def _run(self, x, kernel_shape, pads, strides, **others):
            margins = ((0, 0), (0, 0), (pads[0], pads[2]), (pads[1], pads[3]))
            x = np.pad(x, margins, constant_values=-np.inf)
            x = np.lib.stride_tricks.sliding_window_view(x, kernel_shape, (2, 3))
            return (x[:, :, :: strides[0], :: strides[1]].max((4, 5)),)

    return MaxPool


def answers(path, x):
    """What the reference implementation of ONNX computes, image by image."""
    from onnx.reference import ReferenceEvaluator

    onnx.checker.check_model(str(path), full_check=True)
    session = ReferenceEvaluator(str(path), new_ops=[max_pool()])
    return np.concatenate([session.run(None, {"images": image[None]})[0] for image in x])


@pytest.mark.parametrize("net", NETS)
def test_the_file_computes_the_same_logits(net, tmp_path):
    model = NETS[net]()
    x, _ = images(model)
    found = answers(write_onnx(tmp_path / "net.onnx", model), x)
    expected = logits(model, x)
    if net == "nested":  # ends in CenterLogits, which lack a number that all classes share
        found, expected = (z - z[:, :1] for z in (found, expected))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_joins_along_rows_and_dense_over_channels(tmp_path):
    inputs = keras.Input(SHAPE)
    x = layers.Conv2D(3, 2, activation="relu")(inputs)
    x = layers.Concatenate(axis=1)([layers.Dense(3, activation="relu")(x), x])
    x = layers.GlobalAveragePooling2D(keepdims=True)(x)
    model = randomised(keras.Model(inputs, layers.Dense(3)(layers.Flatten()(x))))
    x, _ = images(model)
    np.testing.assert_allclose(
        answers(write_onnx(tmp_path / "net.onnx", model), x), logits(model, x), atol=1e-5
    )


def test_every_operation_has_a_writer():
    assert {kind.__name__ for kind in WRITERS} == set(operations.__all__)


def test_a_linear_net_is_written_without_transposes(tmp_path):
    parts = [keras.Input(SHAPE), layers.Flatten(), layers.Dense(3)]
    path = write_onnx(tmp_path / "net.onnx", randomised(keras.Sequential(parts)))
    graph = onnx.load(path).graph
    assert [node.op_type for node in graph.node] == ["Reshape", "Gemm"]
    shape = graph.input[0].type.tensor_type.shape
    assert [side.dim_value for side in shape.dim] == [1, *SHAPE]


def test_refuses_to_write_what_it_cannot(tmp_path, monkeypatch):
    model = keras.Sequential([keras.Input(SHAPE), layers.Flatten(), layers.Dense(3)])
    with pytest.raises(FileNotFoundError, match="no folder .*none to write net.onnx to"):
        write_onnx(tmp_path / "none" / "net.onnx", model)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"robustzoo\[onnx\]"):
        write_onnx(tmp_path / "net.onnx", model)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("clip", [True, False])
def test_the_query_is_the_box_and_the_margins(tmp_path, clip):
    image = np.random.default_rng(0).uniform(size=SHAPE).astype("float32")
    image[0, :2] = (0.0, 1.0), (8 / 255, 0.5)  # a bound of 1e-10, which needs all its digits
    path = write_vnnlib(tmp_path / "query.vnnlib", image, 1, 3, Linf(8 / 255), clip)
    text = path.read_text()
    box = {"<=": {}, ">=": {}}
    for sign, i, value in re.findall(r"\(assert \((<=|>=) X_(\d+) ([-\d.]+)\)\)", text):
        box[sign][int(i)] = float(value)
    region = Region(image[None].astype("float64"), np.array([8 / 255]), Linf, clip)
    for sign, end in zip((">=", "<="), region.box(FLOAT64), strict=True):
        assert [box[sign][i] for i in range(image.size)] == end.ravel().tolist()
    assert min(box[">="].values()) == (0.0 if clip else -8 / 255)
    (rivals,) = re.findall(r"\(assert \(or\s+(.*)\s+\)\)\s*$", text, re.DOTALL)
    assert re.findall(r"\(and \(>= Y_(\d) Y_(\d)\)\)", rivals) == [("0", "1"), ("2", "1")]
    assert text.count("declare-const X_") == image.size and text.count("declare-const Y_") == 3
    assert text.count("(") == text.count(")")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"threat": L2(0.1)}, "threat must be Linf. Received: L2"),
        ({"label": 3}, "labels must lie in 0 .. 2"),
        ({"image": np.full(SHAPE, 2.0)}, "images must lie in"),
    ],
)
def test_refuses_a_query(tmp_path, change, message):
    arguments = {"image": np.zeros(SHAPE), "label": 0, "threat": Linf(0.1)} | change
    with pytest.raises(ValueError, match=message):
        write_vnnlib(tmp_path / "query.vnnlib", classes=3, **arguments)
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        write_vnnlib(tmp_path / "none" / "q.vnnlib", np.zeros(SHAPE), 0, 3, Linf(0.1))
    assert not list(tmp_path.iterdir())
