"""Streamlining small networks of every kind: random ones, and one for each thing they may hold."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import given, settings

from brainsmith.api import BIPOLAR, IntType, Model, ModelError, TransformConfig
from brainsmith.builtin.transforms.streamline import Streamline
from brainsmith.model.execution import execute
from tests.builtin.integers import (
    QONNX,
    Net,
    assert_same_layers,
    operators,
    streamlined,
)
from tests.builtin.networks import networks


@settings(max_examples=60)
@given(networks())
def test_random_networks_are_the_same_layer_by_layer(case: tuple[Model, np.ndarray]) -> None:
    model, frames = case
    compiled = streamlined(model)
    assert assert_same_layers(model, compiled, frames) > 0
    assert "MatMul" in operators(compiled)
    left = [n.name for n in compiled.graph if n.op_type in ("Quant", "BatchNormalization", "Gemm")]
    assert not left, compiled.notes


def _weights(net: Net, k: int, n: int, seed: int = 0, bits: int = 4) -> str:
    rng = np.random.default_rng(seed)
    return net.quant(rng.integers(-7, 8, (k, n)).astype(np.float32) / 4, 0.25, 0, bits, narrow=1)


def _frames(lo: int, hi: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(1).integers(lo, hi, (20, *shape), endpoint=True)


def _assert_equal_outputs(model: Model, compiled: Model, frames: np.ndarray) -> None:
    """The compiled model, its host nodes included, gives the bits of the original."""
    for frame in frames:
        ours = execute(compiled, {"x": frame})
        for name, theirs in execute(model, {"x": frame}).items():
            np.testing.assert_array_equal(ours[name], theirs)


def test_scores_stay_real_and_equal_to_the_bit() -> None:
    net = Net((1, 8), "INT4")
    y = net.MatMul(net.Mul("x", np.float32(0.5)), _weights(net, 8, 4))
    model = net.model(net.Sigmoid(net.Add(y, np.float32([0.1, 0.2, 0.3, 0.4]))))
    compiled = streamlined(model)
    assert operators(compiled) == ["MatMul", "Mul", "Add", "Sigmoid"]
    assert [note.node.split("_")[-1] for note in compiled.notes] == ["Mul", "3", "4"]
    assert "real numbers" in compiled.notes[0].reason
    _assert_equal_outputs(model, compiled, _frames(-8, 7, 1, 8))


def test_codes_as_an_output_are_dequantized() -> None:
    net = Net((1, 8), "INT4")
    model = net.model(net.quant(net.MatMul("x", _weights(net, 8, 4)), 0.3, 3, 4, signed=0))
    compiled = streamlined(model)
    assert operators(compiled)[:2] == ["MatMul", "MultiThreshold"]
    assert [v.name for v in compiled.graph.outputs] == [v.name for v in model.graph.outputs]
    _assert_equal_outputs(model, compiled, _frames(-8, 7, 1, 8))


def test_a_real_input_is_quantized_on_the_host() -> None:
    net = Net((1, 8))
    x = net.quant("x", 0.37, 3, 4, signed=0)
    y = net.quant(net.Relu(net.MatMul(x, _weights(net, 8, 5))), 0.5, 0, 4, signed=0)
    model = net.model(net.ArgMax(y, axis=1), element=7)
    compiled = streamlined(model)
    assert operators(compiled) == [
        *["Quant", "Div", "Add", "Round"], *["MatMul", "MultiThreshold", "ArgMax"]
    ]  # fmt: skip
    assert [note.reason for note in compiled.notes] == [
        *["it gives the codes of a quantizer on the host"] * 3,
        "its input is a real number, which the host quantizes",
    ]
    frames = np.random.default_rng(0).normal(size=(20, 1, 8)).astype(np.float32) * 3
    _assert_equal_outputs(model, compiled, frames)


def test_a_zero_point_becomes_part_of_the_bias() -> None:
    net = Net((1, 6), "UINT8")
    x = net.quant(net.Div("x", np.float32(255)), 1 / 16, 5, 4, signed=0)
    model = net.model(net.quant(net.MatMul(x, _weights(net, 6, 3)), 0.125, 0, 6))
    compiled = streamlined(model)
    assert compiled.origins["v3"].bias.any()
    assert_same_layers(model, compiled, _frames(0, 255, 1, 6))


def test_weights_with_a_zero_point_are_wider_integers() -> None:
    net = Net((1, 6), "UINT4")
    w = net.quant(np.linspace(0, 3, 18).reshape(6, 3), 0.2, 4, 4, signed=0)
    model = net.model(net.quant(net.MatMul("x", w), 0.5, 0, 8))
    compiled = streamlined(model)
    assert_same_layers(model, compiled, _frames(0, 15, 1, 6))


def test_falling_channels_negate_their_columns() -> None:
    net = Net((1, 8), "INT4")
    gamma = np.float32([1, -1, 0.5, -2])
    zero, one = np.zeros(4, np.float32), np.ones(4, np.float32)
    y = net.BatchNormalization(net.MatMul("x", _weights(net, 8, 4)), gamma, one, zero, one)
    model = net.model(net.quant(y, 0.5, 0, 4))
    compiled = streamlined(model)
    assert operators(compiled)[:2] == ["MatMul", "MultiThreshold"]
    assert compiled.graph[0].name == "MatMul_1"
    weights = compiled.constant(compiled.graph[0].inputs[1])
    straight = streamlined(net.model(net.MatMul("x", "v0")))
    before = straight.constant(straight.graph[0].inputs[1])
    assert weights is not None and before is not None
    np.testing.assert_array_equal(weights, before * np.sign(gamma))
    assert_same_layers(model, compiled, _frames(-8, 7, 1, 8))


def test_a_falling_chain_on_a_shared_integer_gets_a_sign() -> None:
    net = Net((1, 4), "INT4")
    falling = net.quant(net.Neg("x"), 1.0, 0, 3)
    rising = net.quant("x", 1.0, 0, 3)
    model = net.model(net.Add(falling, rising))
    compiled = streamlined(model)
    assert operators(compiled)[:3] == ["Mul", "MultiThreshold", "MultiThreshold"]
    assert_same_layers(model, compiled, _frames(-8, 7, 1, 4))
    _assert_equal_outputs(model, compiled, _frames(-8, 7, 1, 4))


def test_a_sign_is_bipolar_unless_zero_is_reached() -> None:
    net = Net((1, 4), "INT4")
    model = net.model(net.Sign(net.Add("x", np.float32(0.5))), net.Sign("x"))
    compiled = streamlined(model)
    kinds = [compiled.datatype(n.outputs[0]) for n in compiled.graph if len(n.inputs) == 2]
    assert [k for k in kinds if k] == [BIPOLAR, IntType(2, signed=True)]
    _assert_equal_outputs(model, compiled, _frames(-8, 7, 1, 4))


def test_a_quantizer_that_changes_nothing_becomes_nothing() -> None:
    net = Net((1, 4), "UINT4")
    y = net.quant(net.quant("x", 1.0, 0, 4, signed=0), 1.0, 0, 6)
    model = net.model(net.quant(net.MatMul(y, _weights(net, 4, 3)), 0.5, 0, 4))
    compiled = streamlined(model)
    assert operators(compiled)[:2] == ["MatMul", "MultiThreshold"]
    _assert_equal_outputs(model, compiled, _frames(0, 15, 1, 4))


@pytest.mark.parametrize("scales", [(0.5, 0.5), (0.5, 0.25), (0.75, 0.5)])
def test_residual_sums_are_sums_of_integers(scales: tuple[float, float]) -> None:
    net = Net((1, 6), "INT4")
    a = net.quant(net.MatMul("x", _weights(net, 6, 6)), scales[0], 0, 4)
    b = net.quant(net.MatMul(a, _weights(net, 6, 6, 1)), scales[1], 0, 4)
    model = net.model(net.quant(net.Relu(net.Add(a, b)), 1.0, 0, 3, signed=0))
    compiled = streamlined(model)
    assert operators(compiled).count("Mul") <= 3  # two factors, and the scale of the output
    assert "Relu" not in operators(compiled)
    assert_same_layers(model, compiled, _frames(-8, 7, 1, 6))
    _assert_equal_outputs(model, compiled, _frames(-8, 7, 1, 6))


def test_scales_without_a_common_multiple_stay_on_the_host() -> None:
    net = Net((1, 6), "INT4")
    a = net.quant(net.MatMul("x", _weights(net, 6, 6)), 0.1, 0, 4)
    b = net.quant(net.MatMul("x", _weights(net, 6, 6, 1)), 0.3333, 0, 4)
    model = net.model(net.quant(net.Add(a, b), 0.5, 0, 4))
    compiled = streamlined(model)
    reasons = {note.node: note.reason for note in compiled.notes}
    assert reasons["Add_6"] == "the scales of its operands have no small common multiple"
    _assert_equal_outputs(model, compiled, _frames(-8, 7, 1, 6))


def test_products_of_two_streams() -> None:
    net = Net((1, 6), "INT4")
    a = net.quant(net.MatMul("x", _weights(net, 6, 6)), 0.5, 0, 4)
    model = net.model(net.quant(net.Mul(a, "x"), 2.0, 0, 4))
    compiled = streamlined(model)
    assert operators(compiled)[:4] == ["MatMul", "MultiThreshold", "Mul", "MultiThreshold"]
    _assert_equal_outputs(model, compiled, _frames(-8, 7, 1, 6))


@pytest.mark.parametrize("signed", [False, True])
def test_qdq_models_are_read(signed: bool) -> None:
    kind = np.int8 if signed else np.uint8
    zero = kind(3)
    net = Net((1, 6), element=1)
    x = net.DequantizeLinear(net.QuantizeLinear("x", np.float32(0.1), zero), np.float32(0.1), zero)
    rng = np.random.default_rng(0)
    integers = rng.integers(-127, 128, (6, 4)).astype(np.int8)
    scales = rng.uniform(0.01, 0.02, 4).astype(np.float32)
    w = net.DequantizeLinear(integers, scales, np.zeros(4, np.int8), axis=1)
    bias = net.DequantizeLinear(np.arange(4, dtype=np.int32), np.float32(0.01), np.int32(0))
    y = net.Relu(net.Gemm(x, w, bias))
    y = net.DequantizeLinear(net.QuantizeLinear(y, np.float32(0.05), zero), np.float32(0.05), zero)
    model = net.model(y)
    compiled = streamlined(model)
    assert "MatMul" in operators(compiled)
    assert "MultiThreshold" in operators(compiled)
    frames = rng.normal(size=(20, 1, 6)).astype(np.float32) * 5
    for frame in frames:
        ours, theirs = (execute(m, {"x": frame})[y] for m in (compiled, model))
        assert np.abs(ours - theirs).max() <= 0.051  # one code, where float32 is ambiguous


def test_an_integer_tensor_as_input_travels_in_float32() -> None:
    net = Net((1, 6), element=2)
    x = net.DequantizeLinear("x", np.float32(0.1), np.uint8(3))
    model = net.model(net.ArgMax(net.MatMul(x, _weights(net, 6, 4)), axis=1), element=7)
    compiled = streamlined(model)
    assert operators(compiled) == ["MatMul", "Add", "ArgMax"]
    assert compiled.datatype(compiled.graph.inputs[0]) == IntType(8)
    _assert_equal_outputs(model, compiled, _frames(0, 255, 1, 6))


def test_an_activation_that_is_not_monotone_is_an_error() -> None:
    net = Net((1, 4), "INT8")
    x = net.HardSwish(net.Mul("x", np.float32(1 / 16)))
    model = net.model(net.quant(x, 0.125, 0, 4))
    with pytest.raises(ModelError, match=r"not monotone.*gives") as caught:
        streamlined(model)
    assert caught.value.where == "node 'HardSwish_1'"
    assert caught.value.exit_code == 3
    numbers = [int(w.split(" gives ")[0]) for w in caught.value.what.split(", ")[1:]]
    assert numbers == sorted(numbers) and len(numbers) == 3


def test_weights_that_no_quantizer_made_stay_on_the_host() -> None:
    net = Net((1, 4), "INT4")
    model = net.model(net.MatMul("x", np.full((4, 2), 0.3)))
    compiled = streamlined(model)
    assert operators(compiled) == ["MatMul"]
    assert "holds fractions and no quantizer made it" in compiled.notes[0].reason


def test_an_unknown_operator_stays_on_the_host() -> None:
    net = Net((1, 4), "INT4")
    y = net.quant(net.MatMul("x", _weights(net, 4, 4)), 0.5, 0, 4)
    model = net.model(net.Softmax(net.MatMul(net.CumSum(y, np.int64(1)), _weights(net, 4, 4))))
    compiled = streamlined(model)
    reasons = {note.node: note.reason for note in compiled.notes}
    assert reasons["CumSum_3"] == "no integer form of CumSum is known"
    _assert_equal_outputs(model, compiled, _frames(-8, 7, 1, 4))


def test_the_choice_of_the_greatest_with_a_bias_on_the_grid() -> None:
    net = Net((1, 6), "INT4")
    y = net.Gemm("x", _weights(net, 6, 4), np.float32([0.25, -1.0, 0.5, 0.0]))
    model = net.model(net.TopK(y, np.array([1])), element=7)
    compiled = streamlined(model)
    assert operators(compiled) == ["MatMul", "Add", "TopK"]
    _assert_equal_outputs(model, compiled, _frames(-8, 7, 1, 6))


def test_the_choice_of_the_greatest_with_any_bias_refines_the_grid() -> None:
    net = Net((1, 6), "INT4")
    y = net.Gemm("x", _weights(net, 6, 4), np.float32([0.0, -1.03, 0.5, 0.1]))
    model = net.model(net.TopK(y, np.array([1])), element=7)
    compiled = streamlined(model)
    assert operators(compiled) == ["MatMul", "Mul", "Add", "TopK"]
    factor = compiled.constant(compiled.graph[1].inputs[1])
    assert factor is not None and factor.tolist() == 8
    _assert_equal_outputs(model, compiled, _frames(-8, 7, 1, 6))


def test_wide_sums_are_chosen_from_in_integers() -> None:
    net = Net((1, 64), "UINT8")
    y = net.Gemm("x", _weights(net, 64, 16, bits=8), np.arange(16, dtype=np.float32) / 4)
    model = net.model(net.ArgMax(y, axis=1), element=7)
    assert operators(streamlined(model)) == ["MatMul", "Add", "ArgMax"]


def test_channels_scaled_by_powers_of_two_are_chosen_from_in_integers() -> None:
    net = Net((1, 6), "INT4")
    scale = np.float32([[0.25, 0.5, 1.0]])
    w = net.quant(np.random.default_rng(0).normal(size=(6, 3)), scale, 0, 4)
    model = net.model(net.ArgMax(net.MatMul("x", w), axis=1, keepdims=0), element=7)
    compiled = streamlined(model)
    assert operators(compiled) == ["MatMul", "Mul", "ArgMax"]
    _assert_equal_outputs(model, compiled, _frames(-8, 7, 1, 6))


def test_ranges_beyond_sixteen_bits_are_bisected() -> None:
    net = Net((1, 64), "UINT8")
    w = _weights(net, 64, 4, bits=8)
    gamma = np.float32([1, -1, 0.5, -2])
    zero, one = np.zeros(4, np.float32), np.ones(4, np.float32)
    y = net.BatchNormalization(net.MatMul("x", w), gamma, one, zero, one * 1e4)
    model = net.model(net.quant(net.Relu(y), 0.7, 0, 4, signed=0))
    compiled = streamlined(model)
    datatype = compiled.datatype(compiled.value("v1"))
    assert datatype is not None and datatype.bits >= 17
    assert_same_layers(model, compiled, _frames(0, 255, 1, 64))


def test_images_are_flattened_on_the_way() -> None:
    net = Net((1, 1, 4, 4), "UINT8")
    x = net.quant(net.Div("x", np.float32(255)), 1 / 8, 0, 4, signed=0)
    y = net.MatMul(net.Flatten(x), _weights(net, 16, 4))
    model = net.model(net.quant(y, 0.25, 0, 4))
    compiled = streamlined(model)
    assert operators(compiled)[:4] == ["MultiThreshold", "Reshape", "MatMul", "MultiThreshold"]
    assert_same_layers(model, compiled, _frames(0, 255, 1, 1, 4, 4))
    _assert_equal_outputs(model, compiled, _frames(0, 255, 1, 1, 4, 4))


def test_streamlining_twice_is_streamlining_once() -> None:
    net = Net((1, 6), "INT4")
    a = net.quant(net.MatMul("x", _weights(net, 6, 6)), 0.5, 0, 4)
    model = net.model(net.ArgMax(net.MatMul(a, _weights(net, 6, 3)), axis=1), element=7)
    once = streamlined(model)
    twice = streamlined(once)
    assert operators(twice) == operators(once) == ["MatMul", "MultiThreshold", "MatMul", "ArgMax"]
    assert {k: o.value for k, o in twice.origins.items()} == {
        k: o.value for k, o in once.origins.items()
    }
    frames = _frames(-8, 7, 1, 6)
    _assert_equal_outputs(model, twice, frames)
    assert_same_layers(model, twice, frames)


def test_the_original_is_left_alone() -> None:
    net = Net((1, 6), "INT4")
    model = net.model(net.quant(net.MatMul("x", _weights(net, 6, 6)), 0.5, 0, 4))
    before = model.to_proto().SerializeToString()
    Streamline().apply(model, TransformConfig())
    assert model.to_proto().SerializeToString() == before


def test_a_truncation_is_a_staircase_too() -> None:
    net = Net((1, 6), "INT4")
    a = net.quant(net.MatMul("x", _weights(net, 6, 6)), 0.5, 0, 8)
    y = net.Trunc(
        a, np.float32(0.5), np.float32(0), np.float32(8), np.float32(2.0), np.float32(6),
        domain=QONNX, rounding_mode="FLOOR", signed=1, narrow=0,
    )  # fmt: skip
    model = net.model(y)
    compiled = streamlined(model)
    assert operators(compiled)[:3] == ["MatMul", "MultiThreshold", "MultiThreshold"]
    assert_same_layers(model, compiled, _frames(-8, 7, 1, 6))


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_thresholds_per_channel_follow_their_layout(layout: str) -> None:
    net = Net((1, 2, 3, 2), "INT4")
    t = np.float32([[-1.5, 0, 2.25], [0.5, 0.5, 3]])
    y = net.MultiThreshold("x", t, domain=QONNX, out_dtype="UINT2", data_layout=layout)
    model = net.model(net.Mul(y, np.float32(0.3)))
    compiled = streamlined(model)
    frames = _frames(-8, 7, 1, 2, 3, 2)
    _assert_equal_outputs(model, compiled, frames)
    if layout == "NHWC":
        assert_same_layers(model, compiled, frames)
    else:
        assert "its elements differ in more than the last dimension" in compiled.notes[0].reason


def test_a_single_dimension_has_thresholds_too() -> None:
    net = Net((8,), "INT4")
    y = net.MatMul("x", _weights(net, 8, 4))
    y = net.quant(net.Add(y, np.float32([0.1, 0.2, 0.3, 0.4])), 0.5, 0, 3)
    model = net.model(net.MatMul(y, _weights(net, 4, 3, seed=1)))
    compiled = streamlined(model)
    assert [name for name in operators(compiled) if name != "Reshape"] == [
        "MatMul",
        "MultiThreshold",
        "MatMul",
        "Mul",
    ]
    _assert_equal_outputs(model, compiled, _frames(-8, 7, 8))


def test_the_greatest_in_each_row_of_a_batch_with_a_bias() -> None:
    net = Net((3, 8), "INT4")
    y = net.MatMul("x", _weights(net, 8, 4))
    model = net.model(net.ArgMax(net.Add(y, np.float32([1, 0.5, 0.25, -1])), axis=-1), element=7)
    compiled = streamlined(model)
    assert operators(compiled) == ["MatMul", "Add", "ArgMax"]
    offsets = compiled.constant(compiled.graph[1].inputs[1])
    assert offsets is not None and offsets.shape == (4,)
    _assert_equal_outputs(model, compiled, _frames(-8, 7, 3, 8))


def test_a_bias_for_all_rows_goes_through_a_product() -> None:
    net = Net((1, 3, 8), "INT4")
    x = net.Add("x", np.arange(8, dtype=np.float32))
    model = net.model(net.MatMul(x, _weights(net, 8, 4)))
    compiled = streamlined(model)
    assert operators(compiled)[0] == "MatMul"
    _assert_equal_outputs(model, compiled, _frames(-8, 7, 1, 3, 8))


def test_a_residual_sum_may_have_a_bias_per_channel() -> None:
    net = Net((1, 8), "INT4")
    y = net.Add(net.MatMul("x", _weights(net, 8, 8)), np.arange(8, dtype=np.float32) / 4)
    model = net.model(net.quant(net.Add("x", y), 0.5, 0, 4))
    compiled = streamlined(model)
    assert "Quant" not in operators(compiled), compiled.notes
    assert assert_same_layers(model, compiled, _frames(-8, 7, 1, 8)) > 0


def test_quantized_weights_of_a_product_on_the_host_are_constants() -> None:
    net = Net((1, 8))
    model = net.model(net.MatMul("x", _weights(net, 8, 4)))
    compiled = streamlined(model)
    assert operators(compiled) == ["MatMul"]
    # Halves, so that no sum is rounded, whatever its order.
    _assert_equal_outputs(model, compiled, _frames(-8, 7, 1, 8) / np.float32(2))


def test_a_zero_point_of_four_bits_is_subtracted() -> None:
    net = Net((1, 8), "UINT8")
    zero = onnx.helper.make_tensor("zero", onnx.TensorProto.INT4, [], [2])
    net.constants.append(zero)
    y = net.QuantizeLinear("x", np.float32(16), "zero")
    y = net.DequantizeLinear(y, np.float32(16), "zero")
    model = net.model(net.MatMul(y, _weights(net, 8, 4)))
    compiled = streamlined(model)
    assert operators(compiled)[:2] == ["MultiThreshold", "MatMul"]
    assert assert_same_layers(model, compiled, _frames(0, 255, 1, 8)) > 0


def test_a_curve_that_turns_by_rounding_stays_on_the_host() -> None:
    # Tanh in float32 falls by one unit in the last place here and there; a quantizer as fine as
    # these units sees it, though the function only rises.
    net = Net((1, 1), "INT12")
    y = net.Tanh(net.Mul("x", np.float32(2**-8)))
    model = net.model(net.quant(net.Sub(y, np.float32(0.9998)), 2**-24, 0, 12, signed=0))
    compiled = streamlined(model)
    notes = " ".join(note.reason for note in compiled.notes)
    assert "Quant" in operators(compiled)
    assert "last bit" in notes
