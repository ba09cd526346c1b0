"""The operations of a classifier and how they hang together."""

import collections
import dataclasses
import functools
import math
from typing import Any

import keras

from robustzoo.certification._convert import DTYPES, convert
from robustzoo.certification.operations import Convolution, Dense, Depthwise, Scale
from robustzoo.layers import CenterLogits


@dataclasses.dataclass(frozen=True)
class Node:
    """One operation, and the places of its inputs in the list of all nodes.

    Attributes:
        operation: None for the images.
        mixing: of all operations from the images to here; intervals of up to 1 are exact on a box.
    """

    name: str
    operation: Any
    inputs: tuple[int, ...]
    shape: tuple[int, ...]
    mixing: float

    @property
    def nonlinear(self) -> bool:
        return hasattr(self.operation, "lines")

    @property
    def size(self) -> int:
        return math.prod(self.shape)


class Graph:
    """Operations of a functional model or a built Sequential in inference, with models within it.

    Each node comes after its inputs: the first are the images, the last the logits. Scales behind
    a convolution or a Dense layer (BatchNormalization) are folded into it. Where the last layer is
    `CenterLogits`, ||z||^2 / 2 is left out of all logits alike, which no margin sees.

    Raises ValueError for a layer that no bound is known of, naming it and those supported.
    """

    def __init__(self, model: keras.Model):
        self.model = model
        names, operations, inputs = _Walk(model).result
        names, operations, inputs = _fold(names, operations, inputs)
        self.nodes = []
        for name, operation, sources in zip(names, operations, inputs, strict=True):
            if operation is None:
                self.nodes.append(Node(name, None, (), tuple(model.inputs[0].shape[1:]), 0))
                continue
            mixing = max(self.nodes[i].mixing for i in sources)
            mixing += getattr(operation, "mixing", math.inf)
            self.nodes.append(Node(name, operation, sources, operation.shape, mixing))
        self.output = len(self.nodes) - 1

    def __len__(self):
        return len(self.nodes)

    def __getitem__(self, place: int) -> Node:
        return self.nodes[place]

    @functools.cached_property
    def bent(self) -> list[int]:
        """Places of the nodes that feed a nonlinear operation, in order: whose bounds count."""
        return sorted({i for node in self.nodes if node.nonlinear for i in node.inputs})

    @functools.cached_property
    def consumers(self) -> dict[int, list[int]]:
        """For each place, the places of the operations that take it."""
        table = collections.defaultdict(list)
        for place, node in enumerate(self.nodes):
            for source in node.inputs:
                table[source].append(place)
        return table

    def read(self, xp) -> list:
        """The parameters of each node as arrays of `xp`."""
        return [
            node.operation.read(xp) if hasattr(node.operation, "read") else ()
            for node in self.nodes
        ]

    def read_batch(self, xp, x) -> list:
        """As `read`, BatchNormalization by the statistics of images x (B, H, W, C), as training."""
        if not any(_normalising(node.operation) for node in self.nodes):
            return self.read(xp)
        values, weights = [x], [()]
        for node in self.nodes[1:]:
            operation, sources = node.operation, [values[i] for i in node.inputs]
            if node.nonlinear:
                weights.append(())
                values.append(operation.forward(xp, *sources))
                continue
            found, value = _read_batch(xp, operation, sources)
            weights.append(found)
            values.append(value)
        return weights

    def forward(self, xp, weights, x) -> list:
        """The value of every node for images x (B, H, W, C)."""
        values = [x]
        for node, w in zip(self.nodes[1:], weights[1:], strict=True):
            sources = [values[i] for i in node.inputs]
            apply = node.operation.forward
            values.append(apply(xp, *sources) if node.nonlinear else apply(xp, w, *sources))
        return values


class _Walk:
    """From the output back to the images, through models within models."""

    def __init__(self, model):
        _check(model)
        self.names, self.operations, self.inputs = ["images"], [None], [()]
        self.known = {id(model.inputs[0]): 0}
        self._walk(model.outputs[0], self.known, "")
        _check_centers(self.operations)
        self.result = self.names, self.operations, self.inputs

    def _walk(self, tensor, known, prefix):
        """Place of the node that computes a symbolic `tensor`; `known` are those done."""
        if id(tensor) in known:
            return known[id(tensor)]
        layer, index, position = tensor._keras_history
        call = layer._inbound_nodes[index]
        sources = [self._walk(source, known, prefix) for source in call.input_tensors]
        name = f"{prefix}{layer.name}"
        if call.arguments.kwargs.get("training"):
            raise ValueError(
                f"bounds are of a model in inference. Received: {name!r}, a "
                f"{type(layer).__name__} called with training=True"
            )
        if isinstance(layer, keras.Model):
            _check(layer, name)
            inner = dict(zip(map(id, layer.inputs), sources, strict=True))
            place = self._walk(layer.outputs[position], inner, f"{name}/")
        else:
            place = self._add(name, layer, call, sources)
        known[id(tensor)] = place
        return place

    def _add(self, name, layer, call, sources):
        """Appends the operations of a layer; returns the place of the last."""
        shapes = [tuple(x.shape[1:]) for x in call.input_tensors]
        for operation in convert(name, layer, shapes, tuple(call.outputs[0].shape[1:])):
            self.names.append(name)
            self.operations.append(operation)
            self.inputs.append(tuple(sources))
            sources = [len(self.names) - 1]
        return sources[0]


def _fold(names, operations, inputs):
    """The same graph with every per-channel scale inside the operation that it alone follows."""
    users = collections.Counter(i for sources in inputs for i in sources)
    kept, place = ([], [], []), {}
    for old, (name, operation, sources) in enumerate(zip(names, operations, inputs, strict=True)):
        source = place[sources[0]] if len(sources) == 1 else None
        before = kept[1][source] if source is not None else None
        foldable = isinstance(before, Dense | Convolution | Depthwise)
        if isinstance(operation, Scale) and foldable and users[sources[0]] == 1:
            kept[1][source] = dataclasses.replace(before, scales=(*before.scales, operation))
            place[old] = source
            continue
        place[old] = len(kept[0])
        for values, value in zip(
            kept, (name, operation, tuple(place[i] for i in sources)), strict=True
        ):
            values.append(value)
    return kept


def _read_batch(xp, operation, sources):
    """The parameters of an affine operation, and its value, from a batch of values before it."""
    if isinstance(operation, Scale):
        weights = _moments(xp, operation, sources[0])
    elif _normalising(operation):
        return _read_folded(xp, operation, sources)
    else:
        weights = operation.read(xp)
    return weights, operation.forward(xp, weights, *sources)


def _read_folded(xp, operation, sources):
    """As `_read_batch`, where statistics of the operation's own output are folded into it."""
    plain = dataclasses.replace(operation, scales=())
    value, fixed = plain.forward(xp, plain.read(xp), *sources), []
    for scale in operation.scales:
        factor, offset = _moments(xp, scale, value)
        value = value * factor + offset
        fixed.append(Scale(lambda xp, found=(factor, offset): found, scale.shape))
    return dataclasses.replace(operation, scales=tuple(fixed)).read(xp), value


def _normalising(operation):
    """Whether the statistics of a batch decide what `operation` does in training."""
    scales = [operation] if isinstance(operation, Scale) else getattr(operation, "scales", ())
    return any(scale.batch_moments for scale in scales)


def _moments(xp, scale, value):
    return scale.batch_moments(xp, value) if scale.batch_moments else scale.read(xp)


def _check(model, name=None):
    graph = bool(getattr(model, "inputs", None)) and hasattr(model, "outputs")
    if not graph or len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ValueError(
            "bounds need a functional model or a built Sequential of one input and one output. "
            f"Received: {name or getattr(model, 'name', model)!r:.100} of type "
            f"{type(model).__name__}"
        )
    if not model.call.__module__.startswith("keras.src.models."):
        raise ValueError(
            "bounds are of the graph of a model, which Keras' own `call` follows. Received: "
            f"{name or model.name!r} of type {type(model).__name__}, which has another"
        )
    if None in model.inputs[0].shape[1:]:
        raise ValueError(
            f"bounds need images of one size. Received: {name or model.name!r}, which takes "
            f"{tuple(model.inputs[0].shape[1:])}"
        )
    if model.inputs[0].dtype not in DTYPES:
        raise ValueError(
            f"bounds need images of {' or '.join(DTYPES)}. Received: {name or model.name!r}, which "
            f"casts its own to {model.inputs[0].dtype}"
        )


def _check_centers(operations):
    """`CenterLogits` lose a term, which the margins only miss where nothing mixes the logits."""
    for place, operation in enumerate(operations):
        behind = operations[place + 1 :]
        if getattr(operation, "shifted", False) and not all(
            isinstance(after, Scale) and after.scalar for after in behind
        ):
            raise ValueError(
                f"{CenterLogits.__name__} has bounds as the last layer alone, or before a "
                f"temperature. Received: {type(behind[0]).__name__} after it"
            )
