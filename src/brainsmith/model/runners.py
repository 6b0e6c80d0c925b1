"""What executes nodes for the reference: ONNX Runtime, and QONNX for its own operators."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import onnx
import onnx_ir as ir

from brainsmith.errors import ModelError
from brainsmith.model.sessions import Session, first_line

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
        graph.node.extend(_uniquely_named(nodes))
        graph.input.extend(onnx.ValueInfoProto(name=n) for n in inputs)
        for info, value in zip(graph.input, inputs.values(), strict=True):
            info.CopyFrom(_typed(info.name, value))
        graph.output.extend(onnx.ValueInfoProto(name=name) for name in writes)
        for name, value in constants.items():
            graph.initializer.append(_tensor(name, value))
        where = ", ".join(node.name or node.op_type for node in nodes[:3])
        where += ", ..." if len(nodes) > 3 else ""
        self._session = Session(graph, model.opset_imports, model.ir_version, where)

    def run(self, values: Mapping[str, np.ndarray]) -> Arrays:
        feeds = {name: values[name] for name in self._reads}
        return dict(zip(self._writes, self._session.run(feeds), strict=True))


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
        operator.execute_node(context, _annotated(context))
    except Exception as error:  # QONNX raises bare Exception and AssertionError
        raise ModelError(
            f"QONNX cannot execute the node: {first_line(error)}", where=f"node '{where}'"
        ) from error


def _annotated(names: Iterable[str]) -> onnx.GraphProto:
    """A graph with a datatype for each value, which Im2Col asks whether it holds the padding."""
    graph = onnx.GraphProto()
    for name in names:
        entry = graph.quantization_annotation.add(tensor_name=name)
        entry.quant_parameter_tensor_names.add(key="finn_datatype", value="FLOAT32")
    return graph


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


def _uniquely_named(nodes: Iterable[ir.Node]) -> Iterable[onnx.NodeProto]:
    """The nodes; ONNX Runtime refuses two of one name, which ONNX allows."""
    taken: set[str] = set()
    for node in nodes:
        proto = ir.serde.serialize_node(node)
        if proto.name in taken:
            proto.name = ""
        taken.add(proto.name)
        yield proto


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
