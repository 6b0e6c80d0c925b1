"""The faithful half: compiled integers against the original model, layer by layer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given as given_case
from hypothesis import settings

from brainsmith.api import Model
from brainsmith.compiler.faithful import FaithfulReport, check_faithful
from brainsmith.errors import ConfigurationError
from tests.builtin.integers import QONNX, Net, cleaned, interpret, streamlined
from tests.builtin.networks import networks

ROOT = Path(__file__).parents[2]
TFC = ROOT.parent / "shared/models/tfc-w1a1"


def _check(model: Model, frames: np.ndarray, *, given: bool = True) -> FaithfulReport:
    compiled = streamlined(model)
    name = model.graph.inputs[0].name or ""
    values = interpret(compiled, {name: frames})
    return check_faithful(model, compiled, {name: frames}, values, given=given)


def test_digits_agree_in_every_layer() -> None:
    images = np.load(ROOT / "examples/digits/images.npy")[:, None, :]
    report = _check(cleaned(Model.load(ROOT / "examples/digits/digits.onnx")), images)
    assert report.ok
    assert (report.agreement, report.largest_difference) == (1.0, 0.0)
    assert [layer.kind for layer in report.layers] == [*["sums", "codes"] * 3, "sums"]
    assert report.codes == 200 * 64 * 3
    assert report.ambiguous <= report.codes // 1000


def test_the_original_may_lack_shapes() -> None:
    proto = onnx.load(ROOT / "examples/digits/digits.onnx")
    del proto.graph.value_info[:]
    original = Model.from_proto(proto)
    compiled = streamlined(cleaned(original.copy()))
    images = np.load(ROOT / "examples/digits/images.npy")[:3, None, :]
    values = interpret(compiled, {"pixels": images})
    assert check_faithful(original, compiled, {"pixels": images}, values).ok


def test_tfc_agrees_everywhere() -> None:
    if not TFC.is_dir():
        pytest.skip("needs ../shared/models/tfc-w1a1")
    frames = np.load(TFC / "input.npy").reshape(4, 1, 1, 28, 28)
    report = _check(cleaned(Model.load(TFC / "model.onnx")), frames)
    assert report.ok
    assert report.agreement == 1.0
    assert all(layer.equal == layer.elements for layer in report.layers)


def _wide(seed: int = 0) -> tuple[Model, np.ndarray]:
    """784 inputs, 4 bits, rational scales: float32 decides some codes by rounding."""
    rng = np.random.default_rng(seed)
    net = Net((1, 784), "UINT4")
    w = net.quant(rng.normal(size=(784, 64)).astype(np.float32), 0.3, 0, 4, narrow=1)
    y = net.MatMul(net.Mul("x", np.float32(1 / 3)), w)
    # Sums are multiples of 0.1; boundaries lie on odd multiples of 5.
    return net.model(net.quant(y, 10.0, 0, 6)), rng.integers(0, 16, (30, 1, 784))


def test_rounding_is_told_from_errors() -> None:
    report = _check(*_wide())
    sums, codes = report.layers
    assert report.ok
    assert sums.ambiguous > 0  # float32 sums differ in the last bits
    assert 0 < codes.ambiguous < codes.elements // 20
    assert report.agreement < 1


def test_a_wrong_threshold_is_an_error() -> None:
    model, frames = _wide()
    compiled = streamlined(model)
    node = next(n for n in compiled.graph if n.op_type == "MultiThreshold")
    assert node.inputs[1] is not None
    table = np.array(compiled.constant(node.inputs[1]))
    table[:, table.shape[1] // 2 :] += 3
    node.replace_input_with(1, compiled.add_initializer("wrong", table))
    report = check_faithful(
        model, compiled, {"x": frames}, interpret(compiled, {"x": frames}), given=False
    )
    assert not report.ok
    codes = next(layer for layer in report.layers if layer.kind == "codes")
    assert codes.errors > 0
    assert codes.first_error is not None


def test_a_wrong_sum_is_an_error_and_is_not_carried_on() -> None:
    model = cleaned(Model.load(ROOT / "examples/digits/digits.onnx"))
    images = np.load(ROOT / "examples/digits/images.npy")[:5, None, :]
    compiled = streamlined(model)
    values = interpret(compiled, {"pixels": images})
    values["Gemm_1_out0"] = values["Gemm_1_out0"].copy()
    values["Gemm_1_out0"][2, 0, 7] += 1
    report = check_faithful(model, compiled, {"pixels": images}, values)
    wrong = {layer.value: layer.errors for layer in report.layers if layer.errors}
    assert wrong == {"Gemm_1_out0": 1}
    assert report.errors == 1


@pytest.mark.parametrize("given", [True, False])
def test_another_label_is_an_error_on_given_data(given: bool) -> None:
    model = cleaned(Model.load(ROOT / "examples/digits/digits.onnx"))
    images = np.load(ROOT / "examples/digits/images.npy")[:5, None, :]
    compiled = streamlined(model)
    values = interpret(compiled, {"pixels": images})
    values["label"] = (values["label"] + 1) % 10
    report = check_faithful(model, compiled, {"pixels": images}, values, given=given)
    assert report.ok is not given
    assert report.agreement == 0.0


def test_scores_are_compared_as_numbers() -> None:
    rng = np.random.default_rng(1)
    net = Net((1, 16), "INT4")
    w = net.quant(rng.normal(size=(16, 5)).astype(np.float32), 0.25, 0, 4)
    report = _check(net.model(net.Add(net.MatMul("x", w), rng.normal(size=5))), _signed(rng, 16))
    assert report.ok
    assert [output.is_label for output in report.outputs] == [False]
    assert (report.agreement, report.largest_difference) == (1.0, 0.0)


def _signed(rng: np.random.Generator, size: int) -> np.ndarray:
    return rng.integers(-8, 8, (10, 1, size))


def test_frames_must_fit() -> None:
    model, frames = _wide()
    compiled = streamlined(model)
    values = interpret(compiled, {"x": frames})
    with pytest.raises(ConfigurationError, match="numbers of frames"):
        check_faithful(model, compiled, {"x": frames[:3]}, values)
    with pytest.raises(ConfigurationError, match="did you mean 'x'"):
        check_faithful(model, compiled, {"xx": frames}, values)


@settings(max_examples=40)
@given_case(networks())
def test_random_networks_agree(case: tuple[Model, np.ndarray]) -> None:
    model, frames = case
    report = _check(model, frames, given=False)
    assert report.ok, [layer for layer in report.layers if layer.errors]
    assert report.codes > 0


def test_a_code_that_is_scaled_and_shifted_with_two_roundings_is_the_same_code() -> None:
    net = Net((1, 8), "INT4")
    table = np.arange(-3, 4, dtype=np.float32)[None]
    y = net.MultiThreshold(
        "x", table, domain=QONNX, out_dtype="UINT3", out_scale=0.3, out_bias=-1.0
    )
    report = _check(net.model(y), np.arange(-8, 8).reshape(2, 1, 8))
    assert report.ok


def test_a_sum_at_a_jump_is_ambiguous_by_more_than_one_code() -> None:
    """Behind a Ceil the codes are 4 apart, and some sums are whole but for a rounding."""
    rng = np.random.default_rng(0)
    net = Net((1, 64), "INT8")
    w = net.quant(rng.integers(-7, 8, (64, 8)).astype(np.float32) * np.float32(0.1), 0.1, 0, 4)
    y = net.Ceil(net.MatMul(net.Mul("x", np.float32(0.1)), w))
    model = net.model(net.quant(y, 0.25, 0, 8))
    report = _check(model, rng.integers(-128, 128, (300, 1, 64)))
    assert report.ok
    assert report.ambiguous > 0
