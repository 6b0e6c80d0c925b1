"""Smallest datatypes: ranges are exact, and thresholds that nothing reaches go."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
from hypothesis import given, settings

from brainsmith.api import IntType, Model
from tests.builtin.integers import QONNX, Net, interpret, operators, streamlined
from tests.builtin.networks import networks


def _thresholds(model: Model) -> ir.Node:
    return next(node for node in model.graph if node.op_type == "MultiThreshold")


def test_the_range_of_a_product_is_that_of_its_worst_column() -> None:
    net = Net((1, 3), "UINT4")
    weights = np.array([[1, -3], [2, 0], [-1, -3]], np.float32)
    compiled = streamlined(net.model(net.MatMul("x", weights)))
    (node,) = compiled.graph
    assert compiled.range_of(node.outputs[0]) == (-90, 45)
    assert compiled.datatype(node.outputs[0]) == IntType(8, signed=True)


def test_thresholds_outside_the_range_are_dropped_and_the_codes_stay() -> None:
    net = Net((1, 2), "UINT4")
    t = np.array([[-9, -4, 3, 8, 99], [-7, 0, 5, 30, 99]], np.float32)
    y = net.MultiThreshold("x", t, domain=QONNX, out_dtype="UINT3")
    plain = net.model(y)
    config = streamlined(plain)
    node = _thresholds(config)
    table = config.constant(node.inputs[1])
    assert table is not None
    assert table.tolist() == [[3, 8], [5, 16]]
    assert node.attributes.get_float("out_bias") == 2
    frames = np.array([[[q, q]] for q in range(16)])
    values = interpret(config, {"x": frames})[node.outputs[0].name or ""]
    expected = (frames[..., None] >= t).sum(axis=-1)
    np.testing.assert_array_equal(values, expected)


def test_each_channel_is_clipped_into_its_own_range() -> None:
    net = Net((1, 2), "UINT2")
    weights = np.array([[1, 100], [0, 0]], np.float32)
    t = np.array([[1, 2], [50, 250]], np.float32)
    y = net.MultiThreshold(net.MatMul("x", weights), t, domain=QONNX, out_dtype="UINT2")
    compiled = streamlined(net.model(y))
    table = compiled.constant(_thresholds(compiled).inputs[1])
    assert table is not None
    assert table.tolist() == [[1, 2], [50, 250]]


@settings(max_examples=30)
@given(networks())
def test_no_value_leaves_its_range(case: tuple[Model, np.ndarray]) -> None:
    model, frames = case
    loose, tight = streamlined(model, minimize=False), streamlined(model)
    assert operators(loose) == operators(tight)
    before = interpret(loose, {"x": frames})
    after = interpret(tight, {"x": frames})  # asserts every range on the way
    for name, array in before.items():
        np.testing.assert_array_equal(array, after[name])
        limits = tight.range_of(tight.value(name)), loose.range_of(loose.value(name))
        assert limits[0] is not None and limits[1] is not None
        assert limits[1][0] <= limits[0][0] and limits[0][1] <= limits[1][1]
