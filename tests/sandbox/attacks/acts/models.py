"""Models that harm whoever loads, checks or runs them, as the answers of a transform."""

from __future__ import annotations

from typing import Any

import onnx
from onnx import TensorProto, helper

from acts import raw

Facts = dict[str, Any]
_MIB = 1 << 20


def _model(nodes: list[Any], **more: Any) -> onnx.ModelProto:
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in "xy"]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], **more)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _external(location: str, **more: str) -> onnx.ModelProto:
    tensor = onnx.TensorProto(name="w", dims=[1, 4], data_type=TensorProto.FLOAT)
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, **more}.items():
        tensor.external_data.add(key=key, value=value)
    return _model([helper.make_node("Add", ["x", "w"], ["y"])], initializer=[tensor])


def reads_above(facts: Facts) -> onnx.ModelProto:
    return _external("../../../../../../../../etc/passwd")


def reads_absolute(facts: Facts) -> onnx.ModelProto:
    return _external(facts["secret"])


def reads_below_and_above(facts: Facts) -> onnx.ModelProto:
    return _external("weights/../../../../etc/passwd")


def reads_link(facts: Facts) -> onnx.ModelProto:
    return _external(facts["link"])


def reads_far_away(facts: Facts) -> onnx.ModelProto:
    return _external("weights", offset=str(1 << 55), length=str(1 << 60))


def key_of_object(facts: Facts) -> onnx.ModelProto:
    return _external("weights", __class__="os.system")


def absurd_shape(facts: Facts) -> onnx.ModelProto:
    tensor = onnx.TensorProto(name="w", dims=[1 << 31, 1 << 31], data_type=TensorProto.FLOAT)
    tensor.raw_data = bytes(16)
    return _model([helper.make_node("Add", ["x", "w"], ["y"])], initializer=[tensor])


def negative_shape(facts: Facts) -> onnx.ModelProto:
    tensor = onnx.TensorProto(name="w", dims=[-4, -1], data_type=TensorProto.FLOAT)
    tensor.raw_data = bytes(16)
    return _model([helper.make_node("Add", ["x", "w"], ["y"])], initializer=[tensor])


def cycle(facts: Facts) -> onnx.ModelProto:
    return _model(
        [helper.make_node("Add", ["x", "b"], ["a"]), helper.make_node("Relu", ["a"], ["b"]),
         helper.make_node("Relu", ["a"], ["y"])]
    )  # fmt: skip


def _nested(levels: int) -> onnx.ModelProto:
    """Written by hand, as protobuf itself refuses to write it: If in If in If."""
    graph = onnx.GraphProto(name="g").SerializeToString()
    for _ in range(levels):
        attribute = _field(1, b"then_branch") + _field(6, graph)
        node = _field(4, b"If") + _field(5, attribute)
        graph = _field(1, node) + _field(2, b"g")
    return onnx.ModelProto.FromString(b"\x08\x08" + _field(7, graph))


def _field(number: int, data: bytes) -> bytes:
    length, size = b"", len(data)
    while size >= 128:
        length, size = length + bytes([size % 128 | 128]), size >> 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + data


def nested(facts: Facts) -> onnx.ModelProto:
    return _nested(20)


def nested_without_end(facts: Facts) -> onnx.ModelProto:
    return _nested(10_000)


def many_nodes(facts: Facts) -> onnx.ModelProto:
    model = onnx.ModelProto(ir_version=8)
    for _ in range(500_000):
        model.graph.node.add()
    return model


def many_empty_nodes(facts: Facts) -> bytes:
    """Ten million nodes of two bytes each, which take a hundred times that when they are read."""
    return b"\x0a\x00" * 10_000_000


def no_graph(facts: Facts) -> onnx.ModelProto:
    return onnx.ModelProto()


def check_without_end(facts: Facts) -> bool:
    """Has ONNX's checker and shape inference work on what they were not made for."""
    wide = [helper.make_node("Tile", ["x", "w"], ["y"])]
    tensor = helper.make_tensor("w", TensorProto.INT64, [2], [1 << 62, 1 << 62])
    onnx.shape_inference.infer_shapes(_model(wide, initializer=[tensor]), data_prop=True)
    onnx.checker.check_model(_nested(20))
    return False


def infer_bomb(facts: Facts) -> bool:
    """A constant of 2^40 elements, for whoever computes what is constant."""
    import numpy as np
    import onnx.reference

    nodes = [
        helper.make_node("Expand", ["c", "w"], ["e"]),
        helper.make_node("ReduceSum", ["e"], ["y"], keepdims=0),
    ]
    shape = helper.make_tensor("w", TensorProto.INT64, [1], [1 << 28])
    one = helper.make_tensor("c", TensorProto.DOUBLE, [1], [1.0])
    model = _model(nodes, initializer=[shape, one])
    runner = onnx.reference.ReferenceEvaluator(model)
    return bool(np.all(runner.run(None, {"x": np.zeros((1, 4), np.float32)})[0]))


def custom_library(facts: Facts) -> bool:
    """ONNX Runtime is asked to load operators from a library, which is code."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.register_custom_ops_library(facts["secret"])
    return True


def python_operator(facts: Facts) -> onnx.ModelProto:
    """Names code in its attributes; whoever reads it must take them for the texts that they are."""
    node = helper.make_node(
        "PythonOp", ["x"], ["y"], domain="ai.onnx.contrib", code="import os", module="os",
        library=raw.__file__,
    )  # fmt: skip
    return _model([node])
