"""The operation label_select: matching, and the reference against ONNX Runtime."""

import numpy as np
import onnxruntime
import pytest
from onnx import helper

from brainsmith.api import IntType, KernelConfig, LoopNest, Match, NoMatch
from brainsmith.builtin.operations.label_select import LabelSelect
from tests.builtin.nodes import model_of, view_of

OPERATION = LabelSelect()
ONE = {"k": np.array([1], np.int64)}


def _top_k(k=ONE, outputs=None, **attributes):
    node = helper.make_node("TopK", ["x", "k"], ["v", "y"], **attributes)
    return model_of(node, {"x": (5, 10), "v": (5, 1), "y": (5, 1)}, k, outputs)


def _arg_max(shape=(5, 1), **attributes):
    node = helper.make_node("ArgMax", ["x"], ["y"], **attributes)
    return model_of(node, {"x": (5, 10), "y": shape})


@pytest.mark.parametrize(
    "proto",
    [
        _top_k(),
        _top_k(axis=1, largest=1),
        _arg_max(axis=-1),
        _arg_max(axis=1, keepdims=0, shape=(5,)),
    ],
)
def test_the_reference_is_what_onnx_runtime_computes(proto):
    match = OPERATION.match(view_of(proto, {"x": "INT3"}))
    assert isinstance(match, Match)
    assert match.ports == {"x": "x", "y": "y"}
    config = KernelConfig(
        node="n",
        nest=LoopNest(LabelSelect.loops, LabelSelect.ports),
        dims=match.dims,
        dtypes={"x": IntType.parse("INT3"), "y": IntType.parse("UINT4")},
    )
    x = np.random.default_rng(0).integers(-4, 4, (5, 10))  # many ties
    session = onnxruntime.InferenceSession(proto.SerializeToString())
    expected = session.run(["y"], {"x": x.astype(np.float32)})[0]
    got = OPERATION.reference(config, {"x": x[None]})["y"]
    np.testing.assert_array_equal(got.reshape(-1), expected.reshape(-1))
    assert OPERATION.infer(match, {"x": (-4, 3)}) == {"y": (0, 9)}
    shapes = {a.shape[1:] for a in OPERATION.extremes(config).values()}
    assert shapes == {(5, 10)}


@pytest.mark.parametrize(
    ("proto", "dtype", "reason"),
    [
        (_top_k(), None, "is a float"),
        (_top_k({"k": np.array([2], np.int64)}), "INT3", "constant 1"),
        (_top_k(largest=0), "INT3", "smallest"),
        (_top_k(axis=0), "INT3", "not the last"),
        (_arg_max(axis=0, shape=(1, 10)), "INT3", "not the last"),
        (_arg_max(axis=1, select_last_index=1), "INT3", "last index"),
    ],
)
def test_what_it_cannot_take_has_a_reason(proto, dtype, reason):
    refusal = OPERATION.match(view_of(proto, {"x": dtype} if dtype else {}))
    assert isinstance(refusal, NoMatch)
    assert refusal.close
    assert reason in refusal.reason
