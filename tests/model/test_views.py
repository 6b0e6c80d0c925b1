"""Views of nodes and values, and which nodes only reshape."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from brainsmith.api import NodeView as NodeProtocol
from brainsmith.api import ValueView as ValueProtocol
from brainsmith.model.datatypes import IntType
from brainsmith.model.model import Model
from brainsmith.model.views import NodeView, ValueView, is_view

DIGITS = Path(__file__).parents[2] / "examples/digits/digits.onnx"


def test_a_node_is_seen_with_its_neighbours() -> None:
    model = Model.load(DIGITS)
    pixels: ValueProtocol = ValueView(model, model.value("pixels"))
    assert (pixels.name, pixels.shape, pixels.dtype) == ("pixels", (1, 64), IntType(5))
    assert (pixels.range, pixels.constant, pixels.producer) == ((0, 31), None, None)
    (gemm,) = pixels.consumers
    node: NodeProtocol = gemm
    assert (node.op_type, node.domain) == ("Gemm", "")
    assert node.attributes["transB"] == 1
    assert [value.name for value in node.inputs if value] == ["pixels", "Quant_0_out0"]
    producer = node.outputs[0].producer
    assert producer is not None
    assert producer.name == node.name


def test_attributes_are_python_values() -> None:
    tensor = helper.make_tensor("t", onnx.TensorProto.FLOAT, [2], [1.0, 2.0])
    proto = helper.make_node("X", [], ["y"], domain="d", i=1, f=0.5, s="a", l=[1, 2], t=tensor)
    graph = helper.make_graph([proto], "g", [], [helper.make_tensor_value_info("y", 1, [2])])
    model = Model.from_proto(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("d", 1)], ir_version=10)
    )
    attributes = dict(NodeView(model, model.graph[0]).attributes)
    np.testing.assert_array_equal(attributes.pop("t"), [1.0, 2.0])
    assert attributes == {"i": 1, "f": 0.5, "s": "a", "l": (1, 2)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("y = Reshape(x, shape)", True),
        ("y = Reshape(x, z)", False),
        ("y = Flatten(x)", True),
        ("y = Identity(x)", True),
        ("y = Transpose(x)", False),
    ],
)
def test_a_view_moves_no_element(text: str, expected: bool) -> None:
    model = Model.from_proto(
        onnx.parser.parse_model(
            f"""<ir_version: 10, opset_import: ["": 20]>
            g (float[1, 4] x, int64[2] z) => (float[4, 1] y)
            <int64[2] shape = {{4, 1}}> {{ {text} }}"""
        )
    )
    assert is_view(model.graph[0]) is expected
