"""A chain on many arrays gives the bits that each array gives alone in the reference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brainsmith.errors import ModelError
from brainsmith.model.chains import ChainEvaluator
from brainsmith.model.execution import Executor
from brainsmith.model.model import Model

HEAD = '<ir_version: 10, opset_import: ["": 20, "qonnx.custom_op.general": 2]>'


def one_by_one(model: Model, x: np.ndarray) -> np.ndarray:
    executor = Executor(model)
    return np.stack([executor.run({"x": frame})["y"] for frame in x])


def check(text: str, x: np.ndarray) -> None:
    model = Model.from_proto(onnx.parser.parse_model(f"{HEAD} {text}"))
    chain = ChainEvaluator(model, list(model.graph), model.value("x"), model.value("y"))
    got, expected = chain(x), one_by_one(model, x)
    assert got.dtype == expected.dtype
    np.testing.assert_array_equal(got, expected)


ACTIVATIONS = """Relu Neg Abs Sign Sigmoid Tanh HardSwish HardSigmoid LeakyRelu Softplus Elu Erf
Gelu Exp Floor Round Softsign Selu Mish"""


@pytest.mark.parametrize("operator", ACTIVATIONS.split())
@settings(max_examples=5)
@given(shape=st.sampled_from([(1, 10), (1, 7, 3), (3,), (2, 5)]), seed=st.integers(0, 2**31))
def test_an_activation(operator: str, shape: tuple[int, ...], seed: int) -> None:
    x = 4 * np.random.default_rng(seed).standard_normal((33, *shape)).astype(np.float32)
    dims = ", ".join(map(str, shape))
    check(f"g (float[{dims}] x) => (float[{dims}] y) {{ y = {operator}(x) }}", x)


@pytest.mark.parametrize(
    ("x", "c", "y"),
    [("1, 3", "3", "1, 3"), ("1, 3", "1, 3", "1, 3"), ("3", "2, 3", "2, 3"), ("2, 1", "3", "2, 3")],
)
@pytest.mark.parametrize("operator", ["Add", "Sub", "Mul", "Div", "Max"])
def test_operands_broadcast_within_a_frame(operator: str, x: str, c: str, y: str) -> None:
    size = np.prod([int(n) for n in c.split(",")])
    data = ", ".join(f"{0.1 * (i + 1):.1f}" for i in range(size))
    frames = np.random.default_rng(1).standard_normal((5, *map(int, x.split(",")))).astype("f")
    check(
        f"""g (float[{x}] x) => (float[{y}] y) <float[{c}] c = {{{data}}}>
        {{ y = {operator}(c, x) }}""",
        frames,
    )


def test_a_value_may_be_used_twice() -> None:
    x = np.linspace(-5, 5, 41, dtype=np.float32).reshape(41, 1, 1)
    check(
        """g (float[1, 1] x) => (float[1, 1] y) <float three = {3}, float six = {6}, float z = {0}>
        { a = Add(x, three) b = Clip(a, z, six) c = Mul(x, b) y = Div(c, six) }""",
        x,
    )


def test_what_mixes_channels_runs_frame_by_frame() -> None:
    x = np.random.default_rng(2).standard_normal((9, 1, 6)).astype(np.float32)
    check("g (float[1, 6] x) => (float[1, 6] y) { y = Softmax(x) }", x)


@pytest.mark.parametrize("rounding", ["ROUND", "FLOOR", "CEIL", "HALF_UP"])
def test_a_quant_node(rounding: str) -> None:
    x = np.linspace(-3, 3, 100, dtype=np.float32).reshape(50, 1, 2)
    check(
        f"""g (float[1, 2] x) => (float[1, 2] y)
        <float[2] s = {{0.1, 0.3}}, float z = {{1}}, float b = {{4}}>
        {{ y = qonnx.custom_op.general.Quant <signed=1, narrow=0, rounding_mode="{rounding}">
        (x, s, z, b) }}""",
        x,
    )


@pytest.mark.parametrize(("dims", "channels"), [("1, 3", 3), ("1, 3, 4, 4", 3), ("2, 4, 3", 3)])
def test_a_multithreshold_node(dims: str, channels: int) -> None:
    rows = ", ".join(str(v) for c in range(channels) for v in (-0.5 + c, 0.25 + c, 1 + c))
    x = np.random.default_rng(3).standard_normal((40, *map(int, dims.split(",")))).astype("f")
    check(
        f"""g (float[{dims}] x) => (float[{dims}] y) <float[{channels}, 3] t = {{{rows}}}>
        {{ y = qonnx.custom_op.general.MultiThreshold
        <out_dtype="INT2", out_bias=-2.0> (x, t) }}""",
        2 * x,
    )


@pytest.mark.parametrize("axis", ["axis=1", "axis=-1", "axis=0"])
def test_quantize_and_dequantize(axis: str) -> None:
    x = np.random.default_rng(4).standard_normal((40, 1, 2)).astype("f")
    size, s, z = (1, "0.1", "3") if axis == "axis=0" else (2, "0.1, 0.03", "3, -5")
    check(
        f"""g (float[1, 2] x) => (float[1, 2] y)
        <float[{size}] s = {{{s}}}, int8[{size}] z = {{{z}}}>
        {{ q = QuantizeLinear <{axis}> (x, s, z) y = DequantizeLinear <{axis}> (q, s, z) }}""",
        x,
    )


def test_the_layers_of_tfc(tfc: Path) -> None:
    model = Model.load(tfc / "model.onnx")
    nodes = list(model.graph)
    names = [node.name for node in nodes]
    chain = nodes[names.index("Mul_1") : names.index("MultiThreshold_1") + 1]
    start, end = model.value("MatMul_0_out0"), model.value("MultiThreshold_1_out0")
    x = np.arange(-784, 785, 2, dtype=np.float32).reshape(-1, 1, 1).repeat(64, axis=2)
    got = ChainEvaluator(model, chain, start, end)(x)
    executor = Executor(model, keep={end.name or ""})
    image = {"global_in": np.zeros((1, 1, 28, 28), np.float32)}
    for i in range(0, len(x), 97):
        expected = executor.run(image, {"MatMul_0_out0": x[i]})[end.name or ""]
        np.testing.assert_array_equal(got[i], expected)


def test_a_second_input_is_an_error() -> None:
    text = "g (float[2] x, float[2] z) => (float[2] y) { [sum] y = Add(x, z) }"
    model = Model.from_proto(onnx.parser.parse_model(f"{HEAD} {text}"))
    with pytest.raises(ModelError, match="depends on 'z', which is not constant") as caught:
        ChainEvaluator(model, list(model.graph), model.value("x"), model.value("y"))
    assert caught.value.where == "node 'sum'"
