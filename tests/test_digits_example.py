"""The committed digits model: what the other tests and the demo take for granted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx

from brainsmith.compiler import CompileOptions, Compiler

DIGITS = Path(__file__).parent.parent / "examples" / "digits"
# How many of the first hundred images each reads as they were meant.
CONVOLUTIONAL = {"residual": 99, "depthwise": 100}


@pytest.fixture(scope="module")
def model() -> ModelWrapper:
    return ModelWrapper(str(DIGITS / "digits.onnx"))


def test_the_graph_is_tidy(model: ModelWrapper) -> None:
    hidden = ["Gemm", "BatchNormalization", "Relu", "Quant"]
    weights = ["Quant"] * 5
    assert [node.op_type for node in model.graph.node] == [*weights, *hidden * 3, "Gemm", "ArgMax"]
    assert model.get_tensor_datatype("pixels") == DataType["UINT5"]
    assert model.get_tensor_shape("pixels") == [1, 64]


def test_the_images_are_pixels() -> None:
    images = np.load(DIGITS / "images.npy")
    assert images.shape == (200, 64) and images.dtype == np.float32
    assert set(np.unique(images)) == set(range(17))


def test_the_labels_are_what_the_model_says(model: ModelWrapper) -> None:
    images, labels = np.load(DIGITS / "images.npy"), np.load(DIGITS / "labels.npy")
    said = [execute_onnx(model, {"pixels": image[None]})["label"].item() for image in images[::5]]
    assert said == labels[::5].tolist()


def test_the_model_is_right_on_195_of_200() -> None:
    assert np.sum(np.load(DIGITS / "labels.npy") == np.load(DIGITS / "truth.npy")) == 195


@pytest.mark.parametrize("name", ["digits", *CONVOLUTIONAL])
def test_no_trace_of_the_training_machine_is_left(name: str) -> None:
    assert b".py" not in (DIGITS / f"{name}.onnx").read_bytes()


@pytest.mark.parametrize("name", CONVOLUTIONAL)
def test_the_labels_are_what_the_convolutional_model_says(name: str) -> None:
    images, labels = np.load(DIGITS / "images.npy"), np.load(DIGITS / f"{name}_labels.npy")
    model = ModelWrapper(str(DIGITS / f"{name}.onnx"))
    said = [execute_onnx(model, {"pixels": image[None]})["label"].item() for image in images[::50]]
    assert said == labels[::50].tolist()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "right"), CONVOLUTIONAL.items())
def test_a_convolutional_model_reads_a_hundred_digits_in_hardware(
    name: str, right: int, tmp_path: Path
) -> None:
    images, labels, truth = (
        np.load(DIGITS / f"{array}.npy")[:100] for array in ("images", f"{name}_labels", "truth")
    )
    np.save(tmp_path / "images.npy", images)
    np.save(tmp_path / "labels.npy", labels)
    options = CompileOptions(
        target="ecp5-85k", target_fps=20_000, synthesize=False, output=tmp_path / "build",
        verify_input=tmp_path / "images.npy", verify_output=tmp_path / "labels.npy",
    )  # fmt: skip
    result = Compiler().compile(DIGITS / f"{name}.onnx", options=options)
    failed = [check for check in result.verification.checks if not check.passed]
    assert result.success and result.verification.bit_exact, failed
    assert result.verification.vectors == 100
    assert not [node for node in result.host_nodes if node.role == "layer"]
    accuracy = np.mean(labels == truth)
    print(f"{name}: {accuracy:.1%} of 100 digits in simulated hardware, as the reference")
    assert (labels == truth).sum() == right
