"""Nodes of real graphs to match operations on."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from onnx import helper, numpy_helper

from brainsmith.api import IntType
from brainsmith.model.model import Model
from brainsmith.model.views import NodeView

OPSETS = [helper.make_opsetid("", 20), helper.make_opsetid("qonnx.custom_op.general", 1)]


def model_of(
    node: onnx.NodeProto,
    shapes: Mapping[str, tuple[int, ...]],
    constants: Mapping[str, np.ndarray] | None = None,
    outputs: tuple[str, ...] | None = None,
) -> onnx.ModelProto:
    """A model of one node. `shapes` names its inputs and outputs with their shapes."""
    outputs = outputs or tuple(node.output[-1:])
    kind = onnx.TensorProto.INT64 if node.op_type in ("TopK", "ArgMax") else onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [node],
        "g",
        [
            helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
            for name, shape in shapes.items()
            if name not in node.output
        ],
        [helper.make_tensor_value_info(name, kind, shapes[name]) for name in outputs],
        [numpy_helper.from_array(array, name) for name, array in (constants or {}).items()],
    )
    return helper.make_model(graph, opset_imports=OPSETS, ir_version=10)


def view_of(proto: onnx.ModelProto, dtypes: Mapping[str, str]) -> NodeView:
    """The only node of a model, values annotated with integer datatypes."""
    model = Model.from_proto(proto)
    for name, dtype in dtypes.items():
        model.set_datatype(model.value(name), IntType.parse(dtype))
    return NodeView(model, model.graph[0])
