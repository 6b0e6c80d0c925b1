"""Float models to be quantized: real ones, and small ones written as text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import qonnx
from onnx import numpy_helper

from brainsmith.api import Model, TransformConfig
from brainsmith.builtin.transforms.quantize_model import QuantizeModel
from brainsmith.model.execution import Executor

ROOT = Path(__file__).parents[2]
MNIST = Path(qonnx.__path__[0]) / "data/onnx/mnist-conv"


def parse(body: str, **constants: np.ndarray) -> Model:
    """A model from ONNX's text format, with its initializers."""
    head = '<ir_version: 10, opset_import: ["": 20, "qonnx.custom_op.general": 1]>'
    proto = onnx.parser.parse_model(f"{head} {body}")
    proto.graph.initializer.extend(
        numpy_helper.from_array(np.asarray(array, np.float32), name)
        for name, array in constants.items()
    )
    return Model.from_proto(proto)


def quantize(model: Model, frames: np.ndarray, folder: Path, **params: int | str) -> Model:
    """The quantized model, calibrated with the frames of its one input."""
    np.save(folder / "calibration.npy", frames)
    defaults = {name: param.default for name, param in QuantizeModel.__brainsmith__.params.items()}
    given = {"calibration": str(folder / "calibration.npy"), **params}
    return QuantizeModel().apply(model.copy(), TransformConfig({**defaults, **given}))


def run(model: Model, frames: np.ndarray, *keep: str) -> dict[str, np.ndarray]:
    """The outputs and other values, stacked, for `(n, *shape)` frames of the one input."""
    executor = Executor(model, keep=keep)
    name = model.graph.inputs[0].name or ""
    found = [executor.run({name: frame}) for frame in frames]
    return {key: np.stack([one[key] for one in found]) for key in found[0]}


def mnist() -> Model:
    """A trained network for handwritten digits: two convolutions and a product."""
    return Model.load(MNIST / "model.onnx")


def digits() -> np.ndarray:
    """(200, 1, 1, 28, 28): scanned digits of 8x8 in the size that `mnist` takes."""
    small = np.load(ROOT / "examples/digits/images.npy").reshape(-1, 8, 8).astype(np.float32)
    large = np.repeat(np.repeat(small * 255 / 16, 3, axis=1), 3, axis=2)
    return np.pad(large, ((0, 0), (2, 2), (2, 2))).reshape(-1, 1, 1, 28, 28)
