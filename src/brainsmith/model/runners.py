"""What executes nodes for the reference: ONNX Runtime, and QONNX for its own operators."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import onnx
import onnx_ir as ir

from brainsmith.errors import ModelError
from brainsmith.model.dialects import CHANNELS_LAST, QONNX

if TYPE_CHECKING:
    import onnxruntime

Arrays = dict[str, np.ndarray]


class Runner(Protocol):
    """Executes one or several nodes: picks what it reads, returns what it writes."""

    def run(self, values: Mapping[str, np.ndarray]) -> Arrays: ...


class OrtRunner:
    """A run of standard nodes as one session, with every optimization off.

    Without optimizations, joined nodes compute the same bits as each node in a session of its
    own: nothing is fused or folded. Constants are initializers, as they are in the whole model.

    Args:
        nodes: consecutive nodes of one graph, in their order.
        writes: names of the values to return.
        model: the model that they belong to (opsets).
    """

    def __init__(self, nodes: Sequence[ir.Node], writes: Sequence[str], model: ir.Model) -> None:
        made = {value.name for node in nodes for value in node.outputs}
        constants: dict[str, ir.Value] = {}
        inputs: dict[str, ir.Value] = {}
        for value in captured(nodes):
            name = value.name or ""
            if name in made:
                continue
            home = constants if value.is_initializer() else inputs
            home[name] = value
        self._reads = tuple(inputs)
        self._writes = tuple(writes)
        graph = onnx.GraphProto(name="segment")
        graph.node.extend(ir.serde.serialize_node(node) for node in nodes)
        graph.input.extend(onnx.ValueInfoProto(name=n) for n in inputs)
        for info, value in zip(graph.input, inputs.values(), strict=True):
            info.CopyFrom(_typed(info.name, value))
        graph.output.extend(onnx.ValueInfoProto(name=name) for name in writes)
        for name, value in constants.items():
            graph.initializer.append(_tensor(name, value))
        where = ", ".join(node.name or node.op_type for node in nodes[:3])
        self._session = session(
            graph,
            model.opset_imports,
            model.ir_version,
            where + (", ..." if len(nodes) > 3 else ""),
        )
        self._where = where

    def run(self, values: Mapping[str, np.ndarray]) -> Arrays:
        feeds = {name: values[name] for name in self._reads}
        return dict(zip(self._writes, run(self._session, feeds, self._where), strict=True))


class QonnxRunner:
    """One node of a QONNX operator, executed by QONNX.

    Args:
        node: the node.
        constants: the arrays of its constant inputs, by name.
        opset: the version of the node's domain.
    """

    def __init__(self, node: ir.Node, constants: Mapping[str, np.ndarray], opset: int) -> None:
        from qonnx.custom_op.registry import getCustomOp

        names = [value.name or "" for value in node.inputs if value is not None]
        self._reads = tuple(name for name in dict.fromkeys(names) if name not in constants)
        self._writes = tuple(value.name or "" for value in node.outputs)
        self._constants = dict(constants)
        self._where = node.name or node.op_type
        self._operator: Any = getCustomOp(ir.serde.serialize_node(node), onnx_opset_version=opset)

    def run(self, values: Mapping[str, np.ndarray]) -> Arrays:
        context = {**self._constants, **{name: values[name] for name in self._reads}}
        execute_qonnx(self._operator, context, self._where)
        return {name: np.asarray(context[name]) for name in self._writes}


def execute_qonnx(operator: Any, context: Arrays, where: str) -> None:
    """Lets a QONNX CustomOp read its inputs from `context` and write its outputs there.

    Raises:
        ModelError: it fails.
    """
    try:
        operator.execute_node(context, onnx.GraphProto())
    except Exception as error:  # QONNX raises bare Exception and AssertionError
        raise ModelError(
            f"QONNX cannot execute the node: {_first_line(error)}", where=f"node '{where}'"
        ) from error


def session(
    graph: onnx.GraphProto, opsets: Mapping[str, int], ir_version: int, where: str
) -> onnxruntime.InferenceSession:
    """A session of ONNX Runtime for a graph, optimizations off.

    Raises:
        ModelError: ONNX Runtime refuses the graph; `where` says which nodes it has.
    """
    # Without this, importing onnxruntime writes a device id and starts a thread.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime as ort

    imports = [
        onnx.helper.make_opsetid(domain, version)
        for domain, version in opsets.items()
        if domain not in (QONNX, CHANNELS_LAST)
    ]
    proto = onnx.helper.make_model(graph, opset_imports=imports, ir_version=max(ir_version, 8))
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return ort.InferenceSession(
            proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # the classes of its errors derive from Exception alone
        raise ModelError(
            f"ONNX Runtime cannot execute this part of the model: {_first_line(error)}",
            where=f"nodes {where}",
            hint="check the operators, their attributes and the opset of the model",
        ) from error


def run(
    session: onnxruntime.InferenceSession, feeds: Mapping[str, np.ndarray], where: str
) -> list[np.ndarray]:
    """Runs a session; raises ModelError where ONNX Runtime fails."""
    try:
        outputs: list[np.ndarray] = session.run(None, dict(feeds))
    except Exception as error:
        raise ModelError(
            f"ONNX Runtime failed: {_first_line(error)}", where=f"nodes {where}"
        ) from error
    return outputs


def captured(nodes: Iterable[ir.Node]) -> Iterable[ir.Value]:
    """All values that nodes read, those that their subgraphs take from outside included."""
    for node in nodes:
        yield from (value for value in node.inputs if value is not None)
        for attribute in node.attributes.values():
            for graph in _graphs(attribute):
                inner = {value for n in graph for value in n.outputs} | set(graph.inputs)
                inner.update(graph.initializers.values())
                yield from (value for value in captured(graph) if value not in inner)
                yield from (value for value in graph.outputs if value not in inner)


def _graphs(attribute: ir.Attr) -> Sequence[ir.Graph]:
    if attribute.type == ir.AttributeType.GRAPH:
        return [attribute.as_graph()]
    if attribute.type == ir.AttributeType.GRAPHS:
        return attribute.as_graphs()
    return []


def _typed(name: str, value: ir.Value) -> onnx.ValueInfoProto:
    """Name and element type of a value. The shape is left to the session, which gets arrays."""
    element = value.dtype or ir.DataType.FLOAT
    return onnx.helper.make_tensor_value_info(name, int(element), None)


def _tensor(name: str, value: ir.Value) -> onnx.TensorProto:
    assert value.const_value is not None  # value.is_initializer()
    tensor = value.const_value
    proto = onnx.TensorProto(name=name, data_type=int(tensor.dtype), dims=tensor.shape.numpy())
    if tensor.dtype == ir.DataType.STRING:
        proto.CopyFrom(ir.serde.serialize_tensor(tensor))
    else:
        proto.raw_data = tensor.tobytes()
    return proto


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
