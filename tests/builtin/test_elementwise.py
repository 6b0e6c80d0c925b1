"""The operations add and mul: matching, ranges, and the reference against ONNX Runtime."""

import numpy as np
import onnxruntime
import pytest
from onnx import helper

from brainsmith.api import IntType, KernelConfig, LoopNest, Match, NoMatch
from brainsmith.builtin.operations.add import Add
from brainsmith.builtin.operations.mul import Mul
from tests.builtin.nodes import model_of, view_of

OPERATIONS = {"Add": Add(), "Sub": Add(), "Mul": Mul()}
CHANNELS = np.array([-3, 0, 5, 7], np.float32)


def _model(op_type, constant=None, *, first=False, b_shape=(2, 3, 4)):
    operands = ["b", "a"] if first else ["a", "b"]
    shapes = {"a": (2, 3, 4), "y": (2, 3, 4)}
    if constant is None:
        shapes["b"] = b_shape
    node = helper.make_node(op_type, operands, ["y"])
    return model_of(node, shapes, None if constant is None else {"b": constant})


def _match(proto, **dtypes):
    op_type = proto.graph.node[0].op_type
    return OPERATIONS[op_type].match(view_of(proto, dtypes))


@pytest.mark.parametrize("op_type", ["Add", "Sub", "Mul"])
@pytest.mark.parametrize("constant", [None, CHANNELS, CHANNELS[None, None], np.float32(3)])
def test_the_reference_is_what_onnx_runtime_computes(op_type, constant):
    operation = OPERATIONS[op_type]
    proto = _model(op_type, None if constant is None else np.asarray(constant, np.float32))
    dtypes = {"a": "INT5"} if constant is not None else {"a": "INT5", "b": "UINT6"}
    match = _match(proto, **dtypes)
    assert isinstance(match, Match)
    assert match.dims == {"N": 6, "C": 4}
    rng = np.random.default_rng(0)
    inputs = {"a": rng.integers(-16, 16, (2, 3, 4))}
    if constant is None:
        inputs["b"] = rng.integers(0, 64, (2, 3, 4))
    session = onnxruntime.InferenceSession(proto.SerializeToString())
    expected = session.run(None, {k: v.astype(np.float32) for k, v in inputs.items()})[0]
    config = KernelConfig(
        node="n",
        nest=LoopNest(type(operation).loops, type(operation).ports),
        dims=match.dims,
        dtypes={k: IntType.parse(v) for k, v in dtypes.items()},
        statics=match.statics,
        attributes=match.attributes,
    )
    frames = {k: v.reshape(1, 6, 4) for k, v in inputs.items()}
    got = operation.reference(config, frames)["y"]
    np.testing.assert_array_equal(got.reshape(2, 3, 4), expected)
    ranges = {"a": (-16, 15), "b": (0, 63)}
    worst = operation.reference(config, operation.extremes(config))["y"]
    assert operation.infer(match, ranges)["y"] == (worst.min(), worst.max())


def test_a_constant_may_come_first_where_the_order_does_not_matter():
    assert isinstance(_match(_model("Mul", CHANNELS, first=True), a="INT5"), Match)
    refusal = _match(_model("Sub", CHANNELS, first=True), a="INT5")
    assert isinstance(refusal, NoMatch)
    assert "first operand" in refusal.reason


@pytest.mark.parametrize(
    ("proto", "dtypes", "reason"),
    [
        (_model("Add"), {"a": "INT4"}, "'b' is a float"),
        (_model("Add", b_shape=(3, 4)), {"a": "INT4", "b": "INT4"}, "differ"),
        (_model("Mul", CHANNELS + np.float32(0.5)), {"a": "INT4"}, "no integer"),
        (_model("Mul", CHANNELS[:3].reshape(3, 1)), {"a": "INT4"}, "for (2, 3, 4)"),
        (_model("Mul", np.ones((4, 1), np.float32)), {"a": "INT4"}, "last dimension"),
    ],
)
def test_what_it_cannot_take_has_a_reason(proto, dtypes, reason):
    refusal = _match(proto, **dtypes)
    assert isinstance(refusal, NoMatch)
    assert refusal.close
    assert reason in refusal.reason
