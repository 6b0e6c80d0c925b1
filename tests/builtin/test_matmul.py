"""The operation matmul: which nodes it takes, its ranges, its numbers, its worst cases."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import helper

from brainsmith.api import IntType, KernelConfig, LoopNest, Match, NoMatch
from brainsmith.builtin.kernels.matmul.kernel import pack_weights
from brainsmith.builtin.kernels.matmul.shape import Shape
from brainsmith.builtin.operations.matmul import MatMul
from tests.builtin.nodes import model_of, view_of

NEST = LoopNest(MatMul.loops, MatMul.ports)
WEIGHTS = np.array([[1, -2], [3, 4], [-5, 6]], dtype=np.float32)


def node(op_type="MatMul", inputs=("x", "w"), x=(1, 3), w=WEIGHTS, dtypes=None, **attributes):
    constants = {} if w is None else {"w": w}
    shapes = {"x": x, "y": (*x[:-1], 2)} | ({"w": (3, 2)} if w is None else {})
    proto = helper.make_node(op_type, inputs, ["y"], **attributes)
    return view_of(model_of(proto, shapes, constants), dtypes or {"x": "INT4"})


def config(w, x="INT4", n=1, **folding):
    w = np.asarray(w)
    dims = {"N": n, "K": w.shape[0], "M": w.shape[1]}
    dtypes = {"x": IntType.parse(x), "w": IntType(8, signed=True), "y": IntType(24, signed=True)}
    ranges = {"x": (dtypes["x"].min, dtypes["x"].max)}
    return KernelConfig("n", NEST, dims, dtypes, ranges, {"w": w}, folding=folding)


def test_takes_an_integer_stream_times_a_constant_matrix():
    match = MatMul().match(node())
    assert isinstance(match, Match)
    assert match.dims == {"N": 1, "M": 2, "K": 3}
    assert match.ports == {"x": "x", "w": "w", "y": "y"}
    assert match.statics["w"].dtype == np.int64
    assert np.array_equal(match.statics["w"], WEIGHTS)


def test_all_dimensions_before_the_last_are_rows():
    match = MatMul().match(node(x=(2, 5, 3)))
    assert isinstance(match, Match)
    assert match.dims["N"] == 10


def test_takes_a_gemm_that_only_multiplies():
    match = MatMul().match(node("Gemm", w=WEIGHTS.T.copy(), transB=1))
    assert isinstance(match, Match)
    assert np.array_equal(match.statics["w"], WEIGHTS)


@pytest.mark.parametrize(
    ("view", "reason"),
    [
        (lambda: node(dtypes={"y": "INT8"}), "is a float"),
        (lambda: node(w=WEIGHTS / 2), "not integers"),
        (lambda: node(w=None), "has to be constant"),
        (lambda: node(inputs=("w", "x"), x=(2, 2)), "first operand"),
        (lambda: node(w=np.ones((2, 3, 2), np.float32)), "have the shape"),
        (lambda: node("Gemm", alpha=0.5), "alpha=0.5"),
        (lambda: node("Gemm", transA=1, x=(3, 1)), "transA"),
    ],
)
def test_says_why_a_product_is_none_of_its_own(view, reason):
    outcome = MatMul().match(view())
    assert isinstance(outcome, NoMatch)
    assert outcome.close
    assert reason in outcome.reason


def test_a_gemm_with_a_bias_is_refused_and_one_with_zeros_is_not():
    proto = helper.make_node("Gemm", ["x", "w", "c"], ["y"])
    shapes = {"x": (1, 3), "y": (1, 2)}
    for bias, taken in ((np.zeros(2), True), (np.ones(2), False)):
        constants = {"w": WEIGHTS, "c": bias.astype(np.float32)}
        outcome = MatMul().match(view_of(model_of(proto, shapes, constants), {"x": "INT4"}))
        assert isinstance(outcome, Match) == taken


def test_another_operator_is_not_even_close():
    proto = helper.make_node("Add", ["x", "w"], ["y"])
    view = view_of(model_of(proto, {"x": (1, 2), "y": (1, 2)}, {"w": WEIGHTS[:1]}), {"x": "INT4"})
    outcome = MatMul().match(view)
    assert isinstance(outcome, NoMatch)
    assert not outcome.close


matrices = st.integers(1, 6).flatmap(
    lambda k: st.lists(
        st.lists(st.integers(-9, 9), min_size=k, max_size=k), min_size=1, max_size=4
    ).map(lambda rows: np.array(rows).T)
)


@given(w=matrices, bounds=st.tuples(st.integers(-8, 7), st.integers(-8, 7)).map(sorted))
def test_the_range_is_reached_by_the_extremes_and_never_left(w, bounds):
    settings = config(w)
    settings = KernelConfig(
        "n", NEST, settings.dims, settings.dtypes, {"x": tuple(bounds)}, {"w": w}
    )
    match = Match(settings.dims, {}, {"w": w})
    low, high = MatMul().infer(match, {"x": tuple(bounds)})["y"]
    worst = MatMul().reference(settings, MatMul().extremes(settings))["y"]
    assert (worst.min(), worst.max()) == (low, high)
    x = np.random.default_rng(0).integers(*bounds, (20, 1, w.shape[0]), endpoint=True)
    y = MatMul().reference(settings, {"x": x})["y"]
    assert low <= y.min()
    assert y.max() <= high


def test_sums_beyond_the_exact_range_of_a_float_are_exact():
    x = np.array([[[2**31 - 1, 2**31 - 3]]])
    w = np.array([[2**31 - 1], [2**31 - 5]])
    expected = (2**31 - 1) ** 2 + (2**31 - 3) * (2**31 - 5)
    assert MatMul().reference(config(w), {"x": x})["y"].item() == expected


def test_weights_are_packed_as_the_hardware_reads_them():
    w = np.arange(12).reshape(4, 3) - 6
    settings = config(w, PE=3, SIMD=2)
    words = pack_weights(w, Shape.of(settings))
    assert words.shape == (2, 3 * 2 * 8)
    value = words @ (1 << np.arange(48, dtype=object))
    for beat in range(2):
        for pe in range(3):
            for lane in range(2):
                byte = int(value[beat]) >> 8 * (2 * pe + lane) & 0xFF
                assert byte == w[2 * beat + lane, pe] & 0xFF
