"""Models that come out of a worker: data of a foreign source, checked before they are used.

What loading checks of a file is checked here too, on the proto, before onnx_ir reads it; files are
out of reach altogether. Neither ONNX's checker nor its shape inference is run here: they are
programs in C++, and this is the process that must not be harmed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter

import numpy as np
import onnx

from brainsmith.errors import ModelError
from brainsmith.model import external, loading, structure, tensors
from brainsmith.model.model import Model
from brainsmith.model.origin import Origin
from brainsmith.sandbox.bundle import Bundle, parse, unpack
from brainsmith.sandbox.wire import check_size

MAX_NODES = 400_000
MAX_CONSTANTS = 400_000
MAX_NESTING = 16  # graphs inside graphs
MAX_DIM = 1 << 31
MAX_ELEMENTS = 1 << 40
MAX_RANK = 64
MAX_NAME = 4096
# Bytes below which even the smallest messages are not too many to be parsed.
_HARMLESS = 1 << 20


def accept(bundle: Bundle) -> Model:
    """The model of a bundle that somebody else made, with its nodes in order.

    Raises:
        ModelError: it is malformed, too large, or refers to files.
    """
    if bundle.proto.dtype != np.uint8 or bundle.proto.ndim != 1:
        raise ModelError("it is no ONNX model")
    check_bytes(np.ascontiguousarray(bundle.proto).data)
    proto = parse(bundle)
    if not proto.ir_version or not proto.HasField("graph"):
        raise ModelError("it holds no graph")
    if proto.functions:
        raise ModelError("it has functions of its own, which are not inlined")
    in_order = check(proto)
    structure.check_versions(proto)
    model = unpack(bundle, proto)
    if not in_order:
        structure.sort(model.graph)
    loading.canonize(model.ir)
    tensors.check_tensors(model.graph)
    _check_origins(model)
    return model


def check_bytes(proto: memoryview) -> None:
    """Refuses bytes of which parsing would make too much.

    Raises:
        ModelError: they are too many messages, or no proto.
    """
    if len(proto) > _HARMLESS:
        check_size(proto)


def check(proto: onnx.ModelProto) -> bool:
    """Refuses a proto that could harm whoever uses it; tells whether its nodes are in order.

    Raises:
        ModelError: it is too large, refers to files, or its graph is none.
    """
    graphs = list(_graphs(proto.graph))
    _check_amounts(graphs)
    for graph in graphs:
        _check_names_and_shapes(graph)
    external.check_external(proto.graph, None)
    return structure.check_graph(proto.graph)


def _graphs(graph: onnx.GraphProto, depth: int = 0) -> Iterator[onnx.GraphProto]:
    """A graph and all inside it."""
    if depth > MAX_NESTING:
        raise ModelError(f"its graphs are nested deeper than {MAX_NESTING} levels")
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _graphs(attribute.g, depth + 1)
            for inner in attribute.graphs:
                yield from _graphs(inner, depth + 1)


def _check_amounts(graphs: Iterable[onnx.GraphProto]) -> None:
    nodes = sum(len(graph.node) for graph in graphs)
    constants = sum(len(graph.initializer) for graph in graphs)
    if nodes > MAX_NODES:
        raise ModelError(f"it has {nodes} nodes, more than {MAX_NODES}")
    if constants > MAX_CONSTANTS:
        raise ModelError(f"it has {constants} constants, more than {MAX_CONSTANTS}")


def check_acyclic(graph: onnx.GraphProto) -> None:
    """Refuses a graph whose nodes cannot be put in order.

    Raises:
        ModelError: a node needs its own result.
    """
    made_by = {name: node for node, made in enumerate(graph.node) for name in made.output}
    sorter = TopologicalSorter(
        {
            number: {made_by[name] for name in node.input if name in made_by}
            for number, node in enumerate(graph.node)
        }
    )
    try:
        sorter.prepare()
    except CycleError as error:
        node = graph.node[error.args[1][0]]
        raise ModelError(f"node '{node.name[:MAX_NAME]}' is part of a cycle") from error


def _check_names_and_shapes(graph: onnx.GraphProto) -> None:
    for tensor in _tensors(graph):
        _check(tensor.name, tensor.dims)
    for info in (*graph.input, *graph.output, *graph.value_info):
        dims = info.type.tensor_type.shape.dim
        _check(info.name, [dim.dim_value for dim in dims])
    for node in graph.node:
        longest = max(map(len, (node.name, node.op_type, *node.output)))
        if longest > MAX_NAME:
            raise ModelError(f"it has a name of {longest} characters")


def _check(name: str, dims: Iterable[int]) -> None:
    if len(name) > MAX_NAME:
        raise ModelError(f"it has a name of {len(name)} characters")
    sizes = list(dims)
    if len(sizes) > MAX_RANK or any(not 0 <= size <= MAX_DIM for size in sizes):
        raise ModelError(f"'{name}' has the impossible shape {sizes[:MAX_RANK]}")
    if math.prod(sizes) > MAX_ELEMENTS:
        raise ModelError(f"'{name}' has {math.prod(sizes)} elements: the shape {sizes}")


def _tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors


def _check_origins(model: Model) -> None:
    for name, origin in model.origins.items():
        for array in (origin.scale, origin.bias):
            if not np.isfinite(array).all():
                raise ModelError(f"the origin of '{name}' is no finite number")
        _check_layout(model, name, origin)


def _check_layout(model: Model, name: str, origin: Origin) -> None:
    """The elements of a value can be put into the order that its origin names."""
    layout, value = origin.layout, model.find(name)
    if layout is None or value is None:
        return
    axes = list(range(len(layout.shape)))
    if math.prod(layout.shape) != math.prod(model.shape(value)) or sorted(layout.order) != axes:
        raise ModelError(f"the layout of '{name}' does not fit its shape")
