"""The operation pad: matching, the reference against ONNX Runtime, and its hardware."""

import numpy as np
import pytest
from onnx import TensorProto, helper

from brainsmith.api import IntType, KernelConfig, LoopNest, NoMatch
from brainsmith.builtin.kernels.pad.kernel import Pad as PadKernel
from brainsmith.builtin.operations.pad import Pad
from brainsmith.testing import KernelCase, check_kernel
from tests.builtin.cases import assert_exact
from tests.builtin.nodes import model_of, view_of
from tests.builtin.references import assert_as_onnx_runtime
from tests.compiler.frames import first_frames

OPERATION = Pad()
AROUND = [0, 1, 2, 0, 0, 3, 0, 0]  # a row above and three below, two columns before


def _pad(pads=AROUND, x=(1, 4, 5, 3), y=(1, 8, 7, 3), *, value=None, axes=None, mode=None):
    constants = {"pads": np.array(pads, np.int64)}
    if value is not None:
        constants["v"] = np.array(value, np.float32)
    if axes is not None:
        constants["axes"] = np.array(axes, np.int64)
    names = ["x", "pads", "v" if value is not None else "", "axes" if axes is not None else ""]
    node = helper.make_node("Pad", names, ["y"], **({"mode": mode} if mode else {}))
    return model_of(node, {"x": x, "y": y}, constants)


def _old_pad(**attributes):
    """Of opset 10, where all is an attribute."""
    proto = model_of(
        helper.make_node("Pad", ["x"], ["y"], pads=AROUND, **attributes),
        {"x": (1, 4, 5, 3), "y": (1, 8, 7, 3)},
    )
    proto.opset_import[0].version = 10
    return proto


@pytest.mark.parametrize(
    ("proto", "attributes"),
    [
        (_pad(), (1, 2, 0)),
        (_pad(value=-3.0), (1, 2, -3)),
        (_pad([2, 1, 3, 0], axes=[-2, 1], y=(1, 5, 10, 3)), (1, 2, 0)),
        (_pad([0, 2, 0, 0, 1, 0], (1, 5, 3), (1, 8, 3)), (0, 2, 0)),
        (_pad([2, 1], (1, 5, 3), (1, 8, 3), axes=[1], mode="constant"), (0, 2, 0)),
        (_old_pad(value=2.0), (1, 2, 2)),
        (_old_pad(), (1, 2, 0)),
    ],
)
def test_the_reference_is_what_onnx_runtime_computes(proto, attributes):
    match = assert_as_onnx_runtime(OPERATION, proto, {"x": "INT3"})
    assert tuple(match.attributes[name] for name in ("top", "left", "value")) == attributes


def test_the_range_holds_the_constant_where_there_is_padding():
    match = OPERATION.match(view_of(_pad(value=9.0), {"x": "INT3"}))
    assert OPERATION.infer(match, {"x": (-4, 3)}) == {"y": (-4, 9)}
    nothing = OPERATION.match(view_of(_pad([0] * 8, y=(1, 4, 5, 3)), {"x": "UINT2"}))
    assert OPERATION.infer(nothing, {"x": (1, 3)}) == {"y": (1, 3)}


@pytest.mark.parametrize(
    ("proto", "dtypes", "reason"),
    [
        (_pad(), {}, "is a float"),
        (_pad(mode="edge"), {"x": "INT3"}, "mode 'edge'"),
        (_pad([0, 0, 0, 1, 0, 0, 0, 0], y=(1, 4, 5, 4)), {"x": "INT3"}, "other axes"),
        (_pad([0, 0, -1, 0, 0, 0, 0, 0], y=(1, 4, 4, 3)), {"x": "INT3"}, "cuts off"),
        (_pad([1, 0], (4, 5), (5, 5), axes=[0]), {"x": "INT3"}, "no image"),
        (_pad([1, 0], (2, 5, 3), (2, 6, 3), axes=[1]), {"x": "INT3"}, "no image"),
        (_pad(value=0.5), {"x": "INT3"}, "no integer"),
        (_pad(), {"x": "BIPOLAR", "y": "BIPOLAR"}, "0, which is no BIPOLAR"),
        (_pad(value=9.0), {"x": "INT3", "y": "INT3"}, "9, which is no INT3"),
    ],
)
def test_what_it_cannot_take_has_a_reason(proto, dtypes, reason):
    refusal = OPERATION.match(view_of(proto, dtypes))
    assert isinstance(refusal, NoMatch)
    assert refusal.close
    assert reason in refusal.reason


def test_pads_that_are_a_stream_are_refused():
    proto = _pad()
    del proto.graph.initializer[:]
    kind = TensorProto.INT64
    proto.graph.input.append(helper.make_tensor_value_info("pads", kind, (8,)))
    refusal = OPERATION.match(view_of(proto, {"x": "INT3"}))
    assert refusal == NoMatch("the input 'pads' is not constant", close=True)


def _case(image, around, pe=1, dtype="INT4", value=0, y=None):
    """`image` is H, W and C, `around` the rows and columns (above, before, below, behind)."""
    (H, W, C), (top, left, bottom, right) = image, around
    x = IntType.parse(dtype)
    return KernelCase(
        {"OH": top + H + bottom, "OW": left + W + right, "C": C, "H": H, "W": W},
        {"x": dtype, "y": y or IntType.covering(min(x.min, value), max(x.max, value)).name},
        {"PE": pe},
        attributes={"top": top, "left": left, "value": value},
    )


def test_the_padding_before_an_image_waits_for_its_first_beat():
    case = _case((1, 2, 1), (1, 1, 0, 0))  # rows v v v, v x x
    config = KernelConfig(
        "n", LoopNest(Pad.loops, Pad.ports), case.dims,
        {port: IntType.parse(name) for port, name in case.dtypes.items()},
        attributes=case.attributes,
    )  # fmt: skip
    timing = first_frames(PadKernel().schedule([config])[0], np.array([7, 8, 9, 20]), frames=2)
    assert timing.taken["x"].array().tolist() == [7, 12, 13, 20]
    assert timing.given["y"].array().tolist() == [8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 21]


@pytest.mark.slow
def test_every_place_of_the_image_in_hardware():
    shapes = [
        ((3, 4, 4), (1, 1, 1, 1)),
        ((3, 4, 4), (0, 0, 1, 2)),
        ((3, 4, 4), (2, 1, 0, 0)),
        ((1, 5, 2), (0, 3, 0, 0)),
        ((4, 1, 2), (1, 0, 2, 0)),
        ((2, 2, 6), (0, 0, 0, 0)),
        ((1, 1, 2), (2, 3, 1, 1)),
    ]
    cases = [_case(image, around, pe) for image, around in shapes for pe in (1, image[2])]
    cases += [_case((1, 1, 1), (0, 0, 0, 0)), _case((5, 3, 6), (1, 1, 1, 1), 2, "UINT3", -2)]
    cases += [_case((2, 3, 4), (1, 0, 0, 1), 2, "BIPOLAR", v, "BIPOLAR") for v in (-1, 1)]
    cases += [
        _case((2, 3, 2), (1, 1, 1, 1), 1, "BIPOLAR"),
        _case((2, 2, 1), (1, 1, 0, 0), 1, "INT40"),
    ]
    assert_exact("Pad", cases)


@pytest.mark.slow
def test_random_configurations_in_hardware():
    check_kernel("Pad", count=24)
