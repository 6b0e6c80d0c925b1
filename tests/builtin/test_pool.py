"""The operation pool: matching, the reference against ONNX Runtime, and its hardware."""

import numpy as np
import pytest
from onnx import helper

from brainsmith.api import IntType, KernelConfig, LoopNest, NoMatch, PluginError
from brainsmith.builtin.kernels.pool.kernel import Pool as PoolKernel
from brainsmith.builtin.operations.pool import Pool
from brainsmith.testing import KernelCase, check_kernel
from tests.builtin.cases import assert_exact
from tests.builtin.nodes import model_of, view_of
from tests.builtin.references import assert_as_onnx_runtime

OPERATION = Pool()
SHAPE = (1, 4, 5, 3)


def _reduce(op_type="ReduceMax", axes=(1, 2), y=(1, 1, 1, 3), x=SHAPE, **attributes):
    constants = {} if axes is None else {"axes": np.array(axes, np.int64)}
    node = helper.make_node(op_type, ["x", *constants], ["y"], **attributes)
    return model_of(node, {"x": x, "y": y}, constants)


def _old_reduce(op_type):
    """Of opset 12, where axes are an attribute."""
    node = helper.make_node(op_type, ["x"], ["y"], axes=[1, 2], keepdims=0)
    proto = model_of(node, {"x": SHAPE, "y": (1, 3)})
    proto.opset_import[0].version = 12
    return proto


@pytest.mark.parametrize("op_type", ["ReduceMax", "ReduceSum"])
def test_the_reference_is_what_onnx_runtime_computes(op_type):
    protos = [
        _reduce(op_type),
        _reduce(op_type, (-2, -3), (1, 3), keepdims=0),
        _reduce(op_type, (1,), (2, 3), (2, 7, 3), keepdims=0),
        _old_reduce(op_type),
    ]
    matches = [assert_as_onnx_runtime(OPERATION, proto, {"x": "INT3"}) for proto in protos]
    assert {match.attributes["mode"] for match in matches} == {
        op_type.removeprefix("Reduce").lower()
    }
    assert [match.dims["K"] for match in matches] == [20, 20, 7, 20]


def test_the_range_of_a_sum_is_exact():
    maxima, sums = (OPERATION.match(view_of(_reduce(f"Reduce{mode}"), {"x": "INT3"}))
                    for mode in ("Max", "Sum"))  # fmt: skip
    assert OPERATION.infer(maxima, {"x": (-4, 3)}) == {"y": (-4, 3)}
    assert OPERATION.infer(sums, {"x": (-4, 3)}) == {"y": (-80, 60)}


@pytest.mark.parametrize(
    ("proto", "dtypes", "reason"),
    [
        (_reduce(), {}, "is a float"),
        (_reduce(axes=(2,), y=(1, 4, 1, 3)), {"x": "INT3"}, "axes [2] of 4"),
        (_reduce(axes=(2, 3), y=(1, 4, 1, 1)), {"x": "INT3"}, "axes [2, 3] of 4"),
        (_reduce(axes=None, y=(1, 1, 1, 1)), {"x": "INT3"}, "axes [] of 4"),
        (_reduce(axes=(0,), y=(1, 5), x=(4, 5)), {"x": "INT3"}, "axes [0] of 2"),
    ],
)
def test_what_it_cannot_take_has_a_reason(proto, dtypes, reason):
    refusal = OPERATION.match(view_of(proto, dtypes))
    assert isinstance(refusal, NoMatch)
    assert refusal.close
    assert reason in refusal.reason


def test_what_pools_with_the_channels_first_is_another_operation():
    node = helper.make_node("GlobalMaxPool", ["x"], ["y"])
    proto = model_of(node, {"x": (1, 3, 4, 5), "y": (1, 3, 1, 1)})
    assert OPERATION.match(view_of(proto, {"x": "INT3"})) == NoMatch(
        "neither ReduceMax nor ReduceSum"
    )


def test_sums_are_not_bipolar():
    bipolar = IntType.parse("BIPOLAR")
    config = KernelConfig(
        "n", LoopNest(Pool.loops, Pool.ports), {"N": 1, "K": 1, "C": 1},
        {"x": bipolar, "y": bipolar}, attributes={"mode": "sum"},
    )  # fmt: skip
    with pytest.raises(PluginError, match="no bipolar values"):
        PoolKernel().rtl(config)


def _case(mode, K, C, pe, dtype="INT4", y=None, family="ecp5", **params):
    x = IntType.parse(dtype)
    count = K if mode == "sum" else 1
    return KernelCase(
        {"N": 2, "K": K, "C": C},
        {"x": dtype, "y": y or IntType.covering(count * x.min, count * x.max).name},
        {"PE": pe},
        attributes={"mode": mode},
        params=params,
        family=family,
    )


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["max", "sum"])
def test_every_memory_and_datatype_in_hardware(mode):
    cases = [
        _case(mode, 4, 12, pe, family=family, ram_style=style)
        for pe in (1, 4, 6, 12)
        for family, style in (("ecp5", "block"), ("ecp5", "distributed"), ("ice40", "auto"))
    ]
    cases += [_case(mode, 1, 6, pe, "UINT3") for pe in (2, 6)]
    cases += [_case(mode, 3, 4, pe, "BIPOLAR") for pe in (2, 4)]
    cases += [_case("max", 3, 4, pe, "BIPOLAR", "BIPOLAR") for pe in (2, 4)]
    cases += [_case(mode, 9, 2, 1, "INT24", "INT32", "xc7")]
    assert_exact("Pool", cases)


@pytest.mark.slow
def test_random_configurations_in_hardware():
    check_kernel("Pool", count=24)
