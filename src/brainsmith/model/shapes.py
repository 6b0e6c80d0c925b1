"""Shapes of intermediate values, inferred from the inputs by ONNX's own rules.

QONNX operators are unknown to ONNX. Those that keep the shape of their first input stand in as
Identity in a skeleton of the graph, which has the data of small constants only.
"""

from __future__ import annotations

import re

import onnx
import onnx_ir as ir

from brainsmith.errors import ModelError
from brainsmith.model.dialects import CHANNELS_LAST, QONNX, SHAPE_PRESERVING
from brainsmith.model.model import Model
from brainsmith.model.valuetypes import graph_values

# What ONNX says of operands that do not fit, about whatever node it meets first.
_MISFIT = re.compile(
    r"op_type:(?P<op>\w+)(?:, node name: (?P<node>[^)]*))?\): "
    r"\[ShapeInferenceError\] (?P<what>[^\n]*)"
)
# The operands that shapes depend on (shapes, axes, pads, sizes) are short.
_SMALL = 64


def infer_shapes(model: Model) -> None:
    """Gives each value whose shape or element type is unknown the one that ONNX infers.

    What cannot be inferred (behind an operator that nobody knows) stays unknown; shapes that are
    known already stay as they are.

    Raises:
        ModelError: the shapes of a node's operands do not fit each other.
    """
    unknown = [value for value in graph_values(model.graph) if value.name and not _is_known(value)]
    if not unknown:
        return
    skeleton = onnx.helper.make_model(
        _skeleton(model.graph),
        opset_imports=[
            onnx.helper.make_opsetid(domain, version)
            for domain, version in model.graph.opset_imports.items()
            if domain not in (QONNX, CHANNELS_LAST)
        ],
        ir_version=max(model.ir.ir_version, 8),
    )
    inferred = onnx.shape_inference.infer_shapes(skeleton, data_prop=True).graph
    found = {info.name: info for info in [*inferred.value_info, *inferred.output]}
    for value in unknown:
        info = found.get(value.name or "")
        if info is not None:
            _take(value, info.type.tensor_type)
    if not all(map(_is_known, unknown)):
        _check_operands(skeleton)


def _check_operands(skeleton: onnx.ModelProto) -> None:
    """Tells of operands that do not fit, over which ONNX is silent unless it is strict."""
    try:
        onnx.shape_inference.infer_shapes(skeleton, data_prop=True, strict_mode=True)
    except onnx.shape_inference.InferenceError as error:
        found = _MISFIT.search(str(error))
        if found is not None:
            raise ModelError(
                f"the shapes of the operands of {found['op']} do not fit: {found['what']}",
                where=f"node '{found['node']}'",
                hint="look at what the exporter made of this node",
            ) from error


def _is_known(value: ir.Value) -> bool:
    return value.dtype is not None and value.shape is not None and value.shape.is_static()


def _take(value: ir.Value, inferred: onnx.TypeProto.Tensor) -> None:
    if value.dtype is None and inferred.elem_type:
        value.type = ir.TensorType(ir.DataType(inferred.elem_type))
    if value.shape is not None and value.shape.is_static():
        return
    dims = inferred.shape.dim
    if inferred.HasField("shape") and all(dim.HasField("dim_value") for dim in dims):
        value.shape = ir.Shape([dim.dim_value for dim in dims])


def _skeleton(graph: ir.Graph) -> onnx.GraphProto:
    proto = onnx.GraphProto(name="skeleton")
    for value in graph.inputs:
        proto.input.append(_info(value))
    for value in graph.initializers.values():
        tensor = value.const_value
        if tensor is not None and tensor.size <= _SMALL:
            small = proto.initializer.add()
            small.CopyFrom(ir.serde.serialize_tensor(tensor))
            small.name = value.name
        else:
            proto.input.append(_info(value))
    outputs = set(graph.outputs)
    for node in graph:
        proto.node.append(_stand_in(node))
        proto.value_info.extend(
            _info(value) for value in node.outputs if value not in outputs and _is_known(value)
        )
    proto.output.extend(_info(value) for value in graph.outputs)
    return proto


def _stand_in(node: ir.Node) -> onnx.NodeProto:
    names = [value.name or "" if value is not None else "" for value in node.inputs]
    output = [node.outputs[0].name or ""]
    if node.domain == QONNX and node.op_type in SHAPE_PRESERVING:
        return onnx.helper.make_node("Identity", names[:1], output)
    if node.domain == QONNX and node.op_type == "XnorPopcountMatMul":
        return onnx.helper.make_node("MatMul", names, output)
    return ir.serde.serialize_node(node)


def _info(value: ir.Value) -> onnx.ValueInfoProto:
    if value.dtype is None:
        return onnx.ValueInfoProto(name=value.name or "")
    shape = value.shape.numpy() if value.shape is not None and value.shape.is_static() else None
    return onnx.helper.make_tensor_value_info(value.name or "", int(value.dtype), shape)
