"""The operation sliding_window: matching, and the reference against QONNX's Im2Col."""

import numpy as np
import pytest
from onnx import helper
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx

from brainsmith.api import IntType, KernelConfig, LoopNest, Match, NoMatch
from brainsmith.builtin.operations.sliding_window import SlidingWindow
from tests.builtin.nodes import model_of, view_of

OPERATION = SlidingWindow()


def _im2col(shape=(1, 9, 8, 3), kernel=(3, 2), stride=(1, 1), dilations=(1, 1), **attributes):
    node = helper.make_node(
        "Im2Col", ["x"], ["y"], domain="qonnx.custom_op.general", input_shape=str(shape),
        kernel_size=list(kernel), stride=list(stride), dilations=list(dilations), **attributes,
    )  # fmt: skip
    geometry = zip(shape[1:3], kernel, stride, dilations, strict=True)
    sizes = [(size - dilation * (k - 1) - 1) // step + 1 for size, k, step, dilation in geometry]
    return model_of(node, {"x": shape, "y": (1, *sizes, kernel[0] * kernel[1] * shape[3])})


@pytest.mark.parametrize(
    "proto",
    [
        _im2col(),
        _im2col(stride=(2, 3), pad_amount=[0, 0, 0, 0]),
        _im2col(stride=(2, 1), dilations=(2, 3)),
        _im2col(kernel=(1, 1), stride=(3, 2)),
        _im2col((1, 1, 8, 3), kernel=(1, 4), dilations=(1, 2)),
    ],
)
def test_the_reference_is_what_qonnx_computes(proto):
    match = OPERATION.match(view_of(proto, {"x": "INT4"}))
    assert isinstance(match, Match)
    nest = LoopNest(SlidingWindow.loops, SlidingWindow.ports)
    config = KernelConfig(
        "n", nest, match.dims, dict.fromkeys("xy", IntType.parse("INT4")),
        attributes=match.attributes,
    )  # fmt: skip
    shape = tuple(match.dims[dim] for dim in "HWC")
    x = np.random.default_rng(0).integers(-8, 8, shape)
    model = ModelWrapper(proto)
    model.set_tensor_datatype("x", DataType["INT4"])
    expected = execute_onnx(model, {"x": x[None].astype(np.float32)})["y"]
    got = OPERATION.reference(config, {"x": x[None]})["y"]
    assert got.shape[1:] == tuple(match.dims[dim] for dim in nest.port("y").dims)
    np.testing.assert_array_equal(got.reshape(expected.shape), expected)
    assert OPERATION.infer(match, {"x": (-8, 7)}) == {"y": (-8, 7)}


@pytest.mark.parametrize(
    ("proto", "dtype", "reason"),
    [
        (_im2col(), None, "is a float"),
        (_im2col(pad_amount=[1, 0, 1, 0]), "INT4", "pads the image"),
        (_im2col(depthwise=1), "INT4", "depthwise"),
        (_im2col((2, 9, 8, 3)), "INT4", "not [1, H, W, C]"),
    ],
)
def test_other_windows_are_told_apart(proto, dtype, reason):
    answer = OPERATION.match(view_of(proto, {"x": dtype} if dtype else {}))
    assert isinstance(answer, NoMatch) and answer.close and reason in answer.reason


def test_other_nodes_are_none():
    node = helper.make_node("Relu", ["x"], ["y"])
    answer = OPERATION.match(view_of(model_of(node, {"x": (1, 2), "y": (1, 2)}), {"x": "INT4"}))
    assert isinstance(answer, NoMatch) and not answer.close


@pytest.mark.parametrize("seed", range(20))
def test_examples_include_all_windows_and_less_than_a_stride_more(seed):
    dims = {"OH": 4, "OW": 3, "KH": 2, "KW": 3, "C": 2}
    match = OPERATION.example(dims, {}, seed)
    for size, outputs, taps, way in (("H", "OH", "KH", "h"), ("W", "OW", "KW", "w")):
        stride, dilation = match.attributes[f"stride_{way}"], match.attributes[f"dilation_{way}"]
        reach = dilation * (dims[taps] - 1) + 1
        assert (match.dims[size] - reach) // stride + 1 == dims[outputs]
