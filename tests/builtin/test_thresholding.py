"""The operation thresholding: matching, ranges, and the reference against QONNX."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx

from brainsmith.api import IntType, KernelConfig, LoopNest, Match, NoMatch
from brainsmith.builtin.operations.thresholding import Thresholding
from tests.builtin.nodes import model_of, view_of

OPERATION = Thresholding()
NEST = LoopNest(Thresholding.loops, Thresholding.ports)


def _node(thresholds, shape=(3, 4), **attributes):
    node = helper.make_node(
        "MultiThreshold", ["x", "t"], ["y"], domain="qonnx.custom_op.general",
        **({"out_dtype": "INT8"} | attributes),
    )  # fmt: skip
    return model_of(node, {"x": shape, "y": shape}, {"t": np.asarray(thresholds, np.float32)})


def _match(proto, dtype="INT8"):
    return OPERATION.match(view_of(proto, {"x": dtype} if dtype else {}))


def _config(match, x="INT8", y="INT8"):
    return KernelConfig(
        node="n",
        nest=NEST,
        dims=match.dims,
        dtypes={"x": IntType.parse(x), "y": IntType.parse(y)},
        statics=match.statics,
        attributes=match.attributes,
    )


@given(st.integers(0, 2**32 - 1), st.sampled_from([(1, 0), (2, -1), (1, -8)]))
def test_the_reference_is_what_qonnx_computes(seed, code):
    rng = np.random.default_rng(seed)
    step, base = code
    table = np.sort(rng.integers(-300, 300, (4, rng.integers(1, 9))) / 2, axis=1)
    proto = _node(table, out_scale=float(step), out_bias=float(base))
    match = _match(proto)
    assert isinstance(match, Match)
    x = rng.integers(-128, 128, (3, 4))
    expected = execute_onnx(ModelWrapper(proto), {"x": x.astype(np.float32)})["y"]
    got = OPERATION.reference(_config(match), {"x": x[None]})["y"][0]
    np.testing.assert_array_equal(got, expected)
    low, high = OPERATION.infer(match, {"x": (-128, 127)})["y"]
    assert low <= got.min() and got.max() <= high


def test_the_range_of_codes_is_exact():
    match = _match(_node([[-200, 0, 5], [1, 2, 300], [0, 0, 0], [9, 9, 9]], out_bias=-2.0))
    assert OPERATION.infer(match, {"x": (-128, 127)}) == {"y": (-2, 1)}
    assert OPERATION.infer(match, {"x": (-10, 4)}) == {"y": (-2, 1)}
    assert OPERATION.infer(match, {"x": (-10, -1)}) == {"y": (-2, -1)}


def test_one_row_holds_for_all_channels_in_any_layout():
    match = _match(_node([[0, 1]], shape=(1, 2, 3, 4)))
    assert isinstance(match, Match)
    assert match.statics["thresholds"].shape == (4, 2)
    assert match.dims == {"N": 6, "C": 4, "T": 2}


def test_every_extreme_stands_at_or_just_below_a_threshold():
    match = _match(_node([[-200, 3], [0, 200], [1, 1], [-128, 127]]))
    x = OPERATION.extremes(_config(match))["x"]
    assert x.shape == (4, 3, 4)
    assert set(x[:, 0, 1]) == {0, -1, 127}
    assert set(x[:, 0, 3]) == {-128, 127, 126}


@pytest.mark.parametrize(
    ("proto", "dtype", "reason"),
    [
        (_node([[0]]), None, "is a float"),
        (_node([[0, -1]]), "INT8", "do not ascend"),
        (_node([[0]], out_scale=0.5), "INT8", "out_scale"),
        (_node([[0], [1]]), "INT8", "for 4 channels"),
        (_node(np.zeros((4, 1)), shape=(1, 4, 4, 4)), "INT8", "not the last dimension"),
    ],
)
def test_what_it_cannot_take_has_a_reason(proto, dtype, reason):
    refusal = _match(proto, dtype)
    assert isinstance(refusal, NoMatch)
    assert refusal.close
    assert reason in refusal.reason


def test_channels_last_in_four_dimensions():
    match = _match(_node(np.zeros((4, 1)), shape=(1, 2, 3, 4), data_layout="NHWC"))
    assert isinstance(match, Match)
