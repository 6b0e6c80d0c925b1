"""The class Model: datatypes, ranges, constants, names, copies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from qonnx.transformation.general import GiveUniqueNodeNames

from brainsmith.errors import ModelError
from brainsmith.model.datatypes import BIPOLAR, IntType
from brainsmith.model.execution import execute
from brainsmith.model.model import Model
from brainsmith.model.origin import Origin

DIGITS = Path(__file__).parents[2] / "examples/digits/digits.onnx"


@pytest.fixture
def digits() -> Model:
    return Model.load(DIGITS)


def test_the_digits_model_has_its_input(digits: Model) -> None:
    pixels = digits.value("pixels")
    assert digits.shape(pixels) == (1, 64)
    assert digits.datatype(pixels) == IntType(5)
    assert digits.range_of(pixels) == (0, 31)
    assert digits.constant(pixels) is None


def test_an_unknown_value_names_the_nearest(digits: Model) -> None:
    with pytest.raises(ModelError, match="did you mean 'pixels'"):
        digits.value("pixel")


def test_an_integer_tensor_has_the_datatype_of_its_elements(digits: Model) -> None:
    assert digits.datatype(digits.value("label")) == IntType(64, signed=True)


def test_a_float_has_no_datatype_and_no_range(digits: Model) -> None:
    logits = digits.value("Gemm_0_out0")
    assert digits.datatype(logits) is None
    assert digits.range_of(logits) is None


def test_a_range_lies_inside_the_datatype(digits: Model) -> None:
    pixels = digits.value("pixels")
    digits.set_range(pixels, 0, 16)
    assert digits.range_of(pixels) == (0, 16)
    with pytest.raises(ModelError, match=r"\[0, 32\] does not fit the datatype UINT5"):
        digits.set_range(pixels, 0, 32)
    digits.set_datatype(pixels, IntType(4))
    assert digits.range_of(pixels) == (0, 15)


def test_a_constant_s_range_is_that_of_its_elements(digits: Model) -> None:
    weights = digits.add_initializer("w", np.array([-3.0, 5.0], np.float32), IntType(8, True))
    assert digits.range_of(weights) == (-3, 5)


def test_a_constant_cannot_be_written(digits: Model) -> None:
    array = digits.constant(digits.value("Quant_0_param0"))
    assert array is not None
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 1


def test_names_are_unique(digits: Model) -> None:
    first = digits.add_initializer("pixels", np.zeros(1))
    second = digits.add_initializer("pixels", np.zeros(1))
    assert len({"pixels", first.name, second.name}) == 3
    assert digits.value(first.name or "") is first


def test_a_new_node_joins_the_graph(digits: Model) -> None:
    pixels = digits.value("pixels")
    (gemm,) = pixels.consumers()
    shifted = digits.add_node("Neg", [pixels], shape=(1, 64), datatype=BIPOLAR, before=gemm)
    gemm.replace_input_with(0, shifted)
    assert pixels.consumers() == (shifted.producer(),)
    onnx.checker.check_model(digits.to_proto())


def test_a_computed_value_becomes_a_constant(digits: Model) -> None:
    weights = digits.value("Quant_0_out0")
    digits.set_datatype(weights, IntType(4, signed=True))
    constant = digits.make_constant(weights, np.full((64, 64), 7, np.float32))
    assert constant.is_initializer()
    assert digits.value("Quant_0_out0") is constant
    assert (digits.datatype(constant), digits.range_of(constant)) == (IntType(4, True), (7, 7))
    assert "Quant_0" not in [node.name for node in digits.graph]
    onnx.checker.check_model(digits.to_proto())


def test_a_renamed_value_keeps_its_origin(digits: Model) -> None:
    origin = Origin("Relu_0_out0", np.float32(1), np.float32(0))
    digits.origins["Relu_0_out0"] = origin
    digits.rename(digits.value("Relu_0_out0"), "codes")
    assert digits.origins == {"codes": origin}
    assert digits.value("codes").producer().op_type == "Relu"


def test_a_bypassed_node_leaves_its_input_under_the_output_s_name(digits: Model) -> None:
    (top,) = (node for node in digits.graph if node.op_type == "ArgMax")
    assert digits.bypass(top)
    assert digits.graph.outputs[0].name == "label"
    assert digits.value("label").producer().op_type == "Gemm"


def test_a_copy_is_its_own(digits: Model) -> None:
    digits.origins["x"] = Origin("pixels", np.float32(1), np.float32(0))
    digits.set_range(digits.value("pixels"), 0, 16)
    copy = digits.copy()
    assert copy.range_of(copy.value("pixels")) == (0, 16)
    assert copy.origins.keys() == {"x"}
    copy.set_datatype(copy.value("pixels"), IntType(9))
    copy.origins.clear()
    assert digits.datatype(digits.value("pixels")) == IntType(5)
    assert digits.origins.keys() == {"x"}


def test_datatypes_survive_every_way_out_and_in(digits: Model, tmp_path: Path) -> None:
    digits.set_datatype(digits.value("Gemm_0_out0"), BIPOLAR)
    digits.save(tmp_path / "again.onnx")
    for again in (
        Model.from_proto(digits.to_proto()),
        Model.from_qonnx(digits.to_qonnx()),
        Model.load(tmp_path / "again.onnx"),
    ):
        assert again.datatype(again.value("pixels")) == IntType(5)
        assert again.datatype(again.value("Gemm_0_out0")) == BIPOLAR


def test_qonnx_sees_the_datatypes(digits: Model) -> None:
    assert digits.to_qonnx().get_tensor_datatype("pixels").name == "UINT5"


def test_what_is_written_is_the_same_every_time(digits: Model, tmp_path: Path) -> None:
    digits.save(tmp_path / "a.onnx")
    Model.load(tmp_path / "a.onnx").save(tmp_path / "b.onnx")
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()


def test_an_origin_gives_the_real_value() -> None:
    origin = Origin("x", np.array([0.5, 2], np.float32), np.float32(1))
    real = origin.real(np.array([[2, 3]]))
    assert real.dtype == np.float32
    assert real.tolist() == [[2.0, 7.0]]


def test_a_qonnx_transformation_runs_unchanged(digits: Model) -> None:
    wrapper = digits.to_qonnx().transform(GiveUniqueNodeNames("layer_"))
    again = Model.from_qonnx(wrapper, origins=digits.origins)
    assert all((node.name or "").startswith("layer_") for node in again.graph)
    assert again.datatype(again.value("pixels")) == IntType(5)
    feeds = {"pixels": np.ones((1, 64), np.float32)}
    np.testing.assert_array_equal(execute(again, feeds)["label"], execute(digits, feeds)["label"])
