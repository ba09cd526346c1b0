"""A model as a file for other verifiers."""

from pathlib import Path

import keras
import numpy as np

from robustzoo.certification.arrays import FLOAT64
from robustzoo.certification.graph import Graph
from robustzoo.certification.operations import (
    Average,
    Concatenate,
    Convolution,
    Dense,
    Depthwise,
    MaxPool,
    Pad,
    ReLU,
    Reshape,
    Scale,
    Sum,
    Tanh,
)
from robustzoo.writable import writable

OPSET, IR_VERSION = 13, 8  # so old that every verifier reads them


def write_onnx(path: str | Path, model: keras.Model) -> Path:
    """Writes `model` as ONNX: "images" (1, H, W, C) to "logits" (1, classes).

    The graph is the one that `certify` bounds: BatchNormalization is folded in float64, and what
    comes out is rounded to float32. Within it images are (1, C, H, W), as ONNX has them. Where the
    last layer is `CenterLogits`, all logits lack the same number.

    Returns the path. Raises ValueError for a layer that no bound is known of, FileNotFoundError if
    there is no folder for the file, and ImportError without onnx.
    """
    try:
        import onnx
    except ImportError:
        raise ImportError("an ONNX file needs onnx: pip install 'robustzoo[onnx]'") from None
    path = writable(path)
    graph = Graph(model)
    file = _write(graph)
    ends = [
        [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, *node.shape])]
        for name, node in (("images", graph[0]), ("logits", graph[graph.output]))
    ]
    content = onnx.helper.make_graph(file.nodes, "classifier", *ends, file.constants)
    opset = onnx.helper.make_opsetid("", OPSET)
    onnx.save(
        onnx.helper.make_model(content, opset_imports=[opset], ir_version=IR_VERSION), str(path)
    )
    return path


def _write(graph):
    file = _File()
    names = ["images"]
    for node, parameters in zip(graph.nodes[1:], graph.read(FLOAT64)[1:], strict=True):
        kind = next(kind for kind in WRITERS if isinstance(node.operation, kind))
        first = kind not in LAST
        sources = [
            file.laid_out(names[i], first) if len(graph[i].shape) == 3 else names[i]
            for i in node.inputs
        ]
        name = WRITERS[kind](file, node.operation, parameters, *sources)
        if first and len(node.shape) == 3:
            file.channels_first.add(name)
        names.append(name)
    file.nodes[-1].output[0] = "logits"
    return file


class _File:
    """What an ONNX graph is made of, node after node."""

    def __init__(self):
        self.nodes, self.constants = [], []
        self.channels_first, self.twins = set(), {}

    def node(self, kind, *inputs, **attributes) -> str:
        """Appends a node of names and arrays; returns the name of its output."""
        from onnx import helper

        inputs = [x if isinstance(x, str) else self._constant(x) for x in inputs]
        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def laid_out(self, name, first) -> str:
        """Images as (1, C, H, W) where `first`, else as (1, H, W, C)."""
        if (name in self.channels_first) == first:
            return name
        if name not in self.twins:
            twin = self.node("Transpose", name, perm=[0, 3, 1, 2] if first else [0, 2, 3, 1])
            self.twins |= {name: twin, twin: name}
            if first:
                self.channels_first.add(twin)
        return self.twins[name]

    def _constant(self, array):
        from onnx import numpy_helper

        array = np.asarray(array)
        kind = "float32" if array.dtype.kind == "f" else "int64"
        name = f"constant_{len(self.constants)}"
        array = np.ascontiguousarray(array.astype(kind)).reshape(array.shape)
        self.constants.append(numpy_helper.from_array(array, name))
        return name


def _average(file, operation, _, x):
    x = file.node("GlobalAveragePool", x)
    return x if len(operation.shape) == 3 else file.node("Flatten", x)


def _concatenate(file, operation, _, *x):
    axes = {1: 2, 2: 3, 3: 1} if len(operation.shape) == 3 else {}
    return file.node("Concat", *x, axis=axes.get(operation.axis, operation.axis))


def _convolution(file, operation, parameters, x):
    kernel, bias = parameters
    return file.node(
        "Conv", x, kernel.transpose(3, 2, 0, 1), bias,
        pads=_pads(operation.pad), strides=operation.strides,
    )  # fmt: skip


def _dense(file, operation, parameters, x):
    if len(operation.shape) == 1:
        return file.node("Gemm", x, *parameters)
    return file.node("Add", file.node("MatMul", x, parameters[0]), parameters[1])


def _depthwise(file, operation, parameters, x):
    kernel, bias, counts, multiplier = parameters
    where = dict(pads=_pads(operation.pad), strides=operation.strides)
    where["group"] = kernel.shape[-1] // multiplier
    kernel = kernel.transpose(2, 0, 1)[:, None]
    if operation.counts is None:
        return file.node("Conv", x, kernel, bias, **where)
    x = file.node("Mul", file.node("Conv", x, kernel, **where), (1.0 / counts).transpose(2, 0, 1))
    return file.node("Add", x, bias[:, None, None])


def _max_pool(file, operation, _, x):
    where = dict(pads=_pads(operation.pad), strides=operation.strides)
    return file.node("MaxPool", x, kernel_shape=operation.size, **where)


def _pad(file, operation, _, x):
    top, left, bottom, right = _pads(operation)
    return file.node("Pad", x, np.array([0, 0, top, left, 0, 0, bottom, right]))


def _relu(file, operation, _, x):
    return file.node("LeakyRelu", x, alpha=operation.q) if operation.q else file.node("Relu", x)


def _reshape(file, operation, _, x):
    return file.node("Reshape", x, np.array([1, *operation.shape]))


def _scale(file, operation, parameters, x):
    factor, offset = (
        value[:, None, None] if value.ndim and len(operation.shape) == 3 else value
        for value in parameters
    )
    return file.node("Add", file.node("Mul", x, factor), offset)


def _sum(file, operation, _, *x):
    return file.node("Sum", *x)


def _tanh(file, operation, _, x):
    return file.node("Tanh", x)


def _pads(pad):
    (top, bottom), (left, right) = pad.margins
    return [top, left, bottom, right]


WRITERS = {
    Average: _average,
    Concatenate: _concatenate,
    Convolution: _convolution,
    Dense: _dense,
    Depthwise: _depthwise,
    MaxPool: _max_pool,
    Pad: _pad,
    ReLU: _relu,
    Reshape: _reshape,
    Scale: _scale,
    Sum: _sum,
    Tanh: _tanh,
}
LAST = (Dense, Reshape)  # operations on channels, which come last as Keras counts
