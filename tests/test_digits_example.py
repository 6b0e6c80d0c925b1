"""The committed digits model: what the other tests and the demo take for granted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx

DIGITS = Path(__file__).parent.parent / "examples" / "digits"


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


def test_no_trace_of_the_training_machine_is_left() -> None:
    assert b".py" not in (DIGITS / "digits.onnx").read_bytes()
