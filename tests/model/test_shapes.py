"""Inference leaves known shapes alone, and stops where nobody knows the operator."""

from __future__ import annotations

import onnx

from brainsmith.model.model import Model
from brainsmith.model.shapes import infer_shapes


def test_an_unknown_operator_stops_the_inference() -> None:
    text = """<ir_version: 10, opset_import: ["": 20, "who.knows": 1]>
    g (float[1, 4] x) => (y) { a = Neg(x) b = who.knows.Magic(a) y = Abs(b) }"""
    model = Model.from_proto(onnx.parser.parse_model(text))
    infer_shapes(model)
    assert model.shape(model.value("a")) == (1, 4)
    assert model.value("b").shape is None
    assert model.value("y").shape is None


def test_a_large_constant_needs_no_data() -> None:
    text = """<ir_version: 10, opset_import: ["": 20]>
    g (float[1, 512] x) => (y) { w = ConstantOfShape <value = float[1] {2}>(n) y = MatMul(x, w) }"""
    proto = onnx.parser.parse_model(text.replace("{ w", "<int64[2] n = {512, 3}> { w", 1))
    model = Model.from_proto(proto)
    infer_shapes(model)
    assert model.shape(model.value("y")) == (1, 3)
