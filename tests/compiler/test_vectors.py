"""The frames to verify with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir
import pytest

from brainsmith.api import Model
from brainsmith.compiler import CompileOptions
from brainsmith.compiler.quantized_range import quantized_range
from brainsmith.compiler.vectors import generated_vectors, vectors_for
from brainsmith.errors import ConfigurationError
from tests.builtin.integers import QONNX, Net


def quantized(net: Net, x: Any = "x", **attributes: Any) -> Model:
    """Codes of four bits, a quarter apart."""
    return net.model(net.quant(x, 0.25, 0, 4, **attributes))


def test_integers_have_the_element_type_of_the_input() -> None:
    net = Net((1, 4), "INT32", ir.DataType.INT32.value)
    array = generated_vectors(quantized(net, net.Cast("x", to=1)), 0).inputs["x"]
    assert array.dtype == np.int32
    assert (array[0] == -(2**31)).all() and (array[1] == 2**31 - 1).all()


@pytest.mark.parametrize("datatype", ["INT32", "UINT32", "INT25", "UINT4"])
def test_integers_that_float32_carries_stay_inside_the_datatype(datatype: str) -> None:
    model = quantized(Net((1, 64), datatype))
    vectors = generated_vectors(model, 0)
    array = vectors.inputs["x"]
    dtype = model.datatype(model.value("x"))
    assert dtype is not None and array.dtype == np.float32
    exact = [int(number) for number in array.ravel()]
    assert dtype.min <= min(exact) and max(exact) <= dtype.max
    assert min(exact) == dtype.min
    assert max(exact) > 0.99 * dtype.max
    assert vectors.origin == "generated over the inputs' whole range"


RANGES: list[tuple[Any, tuple[float, float]]] = [
    (lambda net: net.quant("x", 0.25, 0, 4), (-2.0, 1.75)),
    (lambda net: net.quant("x", 0.25, 0, 4, narrow=1), (-1.75, 1.75)),
    (lambda net: net.quant("x", 0.5, 2, 3, signed=0), (-1.0, 2.5)),
    (lambda net: net.quant("x", [[1.0, 2, 3, 4]], 0, 2), (-8.0, 4.0)),
    (lambda net: net.BipolarQuant("x", np.float32(3), domain=QONNX), (-3.0, 3.0)),
    (lambda net: net.QuantizeLinear("x", np.float32(0.5), np.int8(8)), (-68.0, 59.5)),
    (lambda net: net.quant(net.Mul("x", np.float32(-2)), 0.25, 0, 4), (-0.875, 1.0)),
    (lambda net: net.quant(net.Sub(np.float32(1), "x"), 0.25, 0, 4), (-0.75, 3.0)),
    (lambda net: net.quant(net.Div(net.Add("x", np.float32(1)), np.float32(4)), 0.25, 0, 4),
     (-9.0, 6.0)),
]  # fmt: skip


@pytest.mark.parametrize(("build", "ends"), RANGES)
def test_reals_cover_the_range_of_the_quantizer_and_some_beyond(
    build: Any, ends: tuple[float, float]
) -> None:
    net = Net((1, 4))
    model = net.model(build(net))
    assert quantized_range(model, model.value("x")) == pytest.approx(ends)
    vectors = generated_vectors(model, 0)
    array = vectors.inputs["x"]
    lo, hi = ends
    assert array.dtype == np.float32
    assert np.allclose(array[0], lo) and np.allclose(array[1], hi)
    assert array.min() < lo and array.max() > hi
    assert ((array > lo) & (array < hi)).mean() > 0.5
    assert "its quantizer's range and beyond" in vectors.origin


def test_reals_that_no_quantizer_reads_are_told_as_they_are() -> None:
    net = Net((1, 4))
    vectors = generated_vectors(net.model(net.Relu("x")), 0)
    assert vectors.origin == "generated: x in [0, 1]"
    array = vectors.inputs["x"]
    assert array.min() == 0 and array.max() == 1


def test_as_many_outputs_as_inputs_are_wanted(tmp_path: Path) -> None:
    x, y = tmp_path / "x.npy", tmp_path / "y.npy"
    np.save(x, np.zeros((4, 8), np.float32))
    model = quantized(Net((1, 8), "UINT4"))
    options = CompileOptions(verify_input=x, verify_output=y)
    np.save(y, np.zeros((4, 8), np.float32))
    vectors = vectors_for(model, options)
    assert (vectors.frames, vectors.generated, vectors.origin) == (4, False, "given")
    np.save(y, np.zeros((3, 8), np.float32))
    with pytest.raises(ConfigurationError, match="3 frames for inputs of 4 frames") as caught:
        vectors_for(model, options)
    assert caught.value.where == str(y)
