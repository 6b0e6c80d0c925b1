"""Streamlining: the integer model computes what the original does, to the bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from qonnx.core.onnx_exec import execute_onnx

from brainsmith.api import BIPOLAR, IntType, Model
from tests.builtin.integers import cleaned, interpret, operators, streamlined

ROOT = Path(__file__).parents[2]
TFC = ROOT.parent / "shared/models/tfc-w1a1"


@pytest.fixture(scope="module")
def digits() -> Model:
    return cleaned(Model.load(ROOT / "examples/digits/digits.onnx"))


@pytest.fixture(scope="module")
def tfc() -> Model:
    if not TFC.is_dir():
        pytest.skip("needs ../shared/models/tfc-w1a1")
    return cleaned(Model.load(TFC / "model.onnx"))


def _labels(model: Model, frames: np.ndarray, output: str) -> list[int]:
    wrapper = model.to_qonnx()
    name = model.graph.inputs[0].name
    shape = model.shape(model.graph.inputs[0])
    runs = (execute_onnx(wrapper, {name: f.reshape(shape).astype(np.float32)}) for f in frames)
    return [int(run[output].reshape(-1)[0]) for run in runs]


def test_tfc_becomes_integers_only(tfc: Model) -> None:
    compiled = streamlined(tfc)
    layer = ["MultiThreshold", "MatMul"]
    assert operators(compiled) == ["Reshape", *layer * 4, "TopK"]
    assert compiled.notes == []
    assert [compiled.datatype(v) for v in compiled.graph.inputs] == [IntType(8)]
    for node in compiled.graph:
        if node.op_type == "MatMul":
            assert [compiled.datatype(v) for v in node.inputs] == [BIPOLAR, BIPOLAR]
        if node.op_type == "MultiThreshold":
            assert compiled.datatype(node.outputs[0]) == BIPOLAR


def test_tfc_reads_the_four_digits(tfc: Model) -> None:
    compiled = streamlined(tfc)
    frames = np.load(TFC / "input.npy")
    values = interpret(compiled, {"global_in": frames.reshape(4, 1, 28, 28)})
    assert values["global_out"].ravel().tolist() == [7, 2, 1, 0]
    assert _labels(compiled, frames, "global_out") == [7, 2, 1, 0]


def test_tfc_agrees_on_random_images(tfc: Model) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (20, 1, 28, 28))
    values = interpret(streamlined(tfc), {"global_in": frames})
    assert values["global_out"].ravel().tolist() == _labels(tfc, frames, "global_out")


def test_digits_become_integers_only(digits: Model) -> None:
    compiled = streamlined(digits)
    assert operators(compiled) == [*["MatMul", "MultiThreshold"] * 3, "MatMul", "Add", "ArgMax"]
    assert compiled.notes == []
    codes = [compiled.datatype(compiled.value(f"Quant_{i}_out0")) for i in (5, 6, 7)]
    assert codes == [IntType(4)] * 3


def test_digits_are_read_as_before(digits: Model) -> None:
    compiled = streamlined(digits)
    images = np.load(ROOT / "examples/digits/images.npy")
    labels = np.load(ROOT / "examples/digits/labels.npy")
    assert interpret(compiled, {"pixels": images})["label"].tolist() == labels.tolist()
    assert _labels(compiled, images[:20], "label") == labels[:20].tolist()
