"""The operation depthwise: ranges, the reference against ONNX Runtime, and its hardware."""

import numpy as np
import onnxruntime
import pytest
from onnx import helper

from brainsmith.api import IntType, KernelConfig, LoopNest, Match, NoMatch, PluginError
from brainsmith.builtin.kernels.depthwise.kernel import Depthwise as DepthwiseKernel
from brainsmith.builtin.operations.depthwise import Depthwise
from brainsmith.testing import KernelCase, check_kernel
from tests.builtin.cases import assert_exact
from tests.builtin.nodes import model_of, view_of

OPERATION = Depthwise()
RNG = np.random.default_rng(0)


def _config(w, x="INT4", y="INT12"):
    K, C = w.shape
    return KernelConfig(
        "n",
        LoopNest(Depthwise.loops, Depthwise.ports),
        {"N": 1, "K": K, "C": C},
        {"x": IntType.parse(x), "w": IntType.parse("INT4"), "y": IntType.parse(y)},
        statics={"w": w},
    )


def test_the_reference_is_a_depthwise_convolution_of_one_window():
    """ONNX Runtime's has the channels first: image [1, C, 3, 3], weights [C, 1, 3, 3]."""
    w, x = RNG.integers(-8, 8, (9, 5)), RNG.integers(-8, 8, (9, 5))
    node = helper.make_node("Conv", ["x", "w"], ["y"], group=5)
    kernel = {"w": w.T.reshape(5, 1, 3, 3).astype(np.float32)}
    proto = model_of(node, {"x": (1, 5, 3, 3), "y": (1, 5, 1, 1)}, kernel)
    session = onnxruntime.InferenceSession(proto.SerializeToString())
    image = x.T.reshape(1, 5, 3, 3).astype(np.float32)
    expected = session.run(["y"], {"x": image})[0]
    got = OPERATION.reference(_config(w), {"x": x[None, None]})["y"]
    np.testing.assert_array_equal(got.reshape(-1), expected.reshape(-1))
    refusal = OPERATION.match(view_of(proto, {"x": "INT4"}))
    assert isinstance(refusal, NoMatch) and not refusal.close


@pytest.mark.parametrize("bounds", [(-8, 7), (0, 15), (-1, 1)])
def test_the_extremes_reach_both_ends_of_the_exact_range(bounds):
    w = RNG.integers(-8, 8, (4, 3))
    match = Match({"N": 1, "K": 4, "C": 3}, {"x": "x", "w": "w", "y": "y"}, {"w": w})
    low, high = OPERATION.infer(match, {"x": bounds})["y"]
    x = np.stack(np.meshgrid(*[bounds] * 4, indexing="ij"), axis=-1).reshape(-1, 1, 4, 1)
    every = OPERATION.reference(_config(w), {"x": np.repeat(x, 3, axis=3)})["y"]
    assert (low, high) == (every.min(), every.max())
    config = KernelConfig(
        "n", LoopNest(Depthwise.loops, Depthwise.ports), match.dims, {"x": IntType.parse("INT5")},
        {"x": bounds}, {"w": w},
    )  # fmt: skip
    reached = OPERATION.reference(config, OPERATION.extremes(config))["y"]
    assert (reached.min(), reached.max()) == (low, high)


def test_weighted_sums_are_not_bipolar():
    with pytest.raises(PluginError, match="no bipolar values"):
        DepthwiseKernel().rtl(_config(np.ones((1, 1), np.int64), y="BIPOLAR"))


def _case(K, C, pe, x="INT4", w="INT4", family="ecp5", weights=None, **params):
    kind, weight = IntType.parse(x), IntType.parse(w)
    if weights is None:
        weights = RNG.integers(weight.min, weight.max, (K, C), endpoint=True)
    match = Match({"N": 2, "K": K, "C": C}, {}, {"w": weights})
    y = IntType.covering(*OPERATION.infer(match, {"x": (kind.min, kind.max)})["y"])
    return KernelCase(
        match.dims, {"x": x, "w": w, "y": y.name}, {"PE": pe}, {"w": weights},
        params=params, family=family,
    )  # fmt: skip


@pytest.mark.slow
def test_every_memory_multiplier_and_datatype_in_hardware():
    cases = [
        _case(9, 6, pe, ram_style=style, multiplier=multiplier)
        for pe in (1, 3, 6)
        for style in ("distributed", "block")
        for multiplier in ("lut", "dsp")
    ]
    cases += [
        _case(3, 4, pe, x, w) for pe in (2, 4) for x, w in (("UINT5", "UINT3"), ("BIPOLAR", "INT3"))
    ]
    cases += [_case(4, 6, pe, family=family) for pe in (1, 6) for family in ("ice40", "xc7")]
    cases += [_case(5, 4, pe, weights=np.full((5, 4), -3)) for pe in (1, 4)]
    cases += [_case(1, 4, 2), _case(2, 3, 1, "INT16", "INT12", "xc7")]
    assert_exact("Depthwise", cases)


@pytest.mark.slow
def test_random_configurations_in_hardware():
    check_kernel("Depthwise", count=20)
