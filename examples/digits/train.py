"""Trains a quantised MLP on scikit-learn's handwritten digits and exports it as QONNX.

Writes next to itself: ``digits.onnx``, ``images.npy`` (200 held-out images, float32 ``[200, 64]``,
the pixels 0..16 as they are), ``truth.npy`` (what the writer meant) and ``labels.npy`` (what the
exported model says, executed by QONNX): both int64 ``[200]``. Seeded: two runs give equal files.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import brevitas.nn as qnn
import numpy as np
import torch
from brevitas.export import export_qonnx
from brevitas.quant import (
    Int8WeightPerChannelFloat,
    Int8WeightPerTensorFloat,
    Int32Bias,
    Uint8ActPerTensorFloat,
)
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.general import (
    GiveReadableTensorNames,
    GiveUniqueNodeNames,
    RemoveStaticGraphInputs,
    RemoveUnusedTensors,
)
from qonnx.transformation.infer_shapes import InferShapes
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn

HERE = Path(__file__).parent
SEED = 0
PIXELS, WIDTH, DIGITS = 64, 64, 10
BITS = 4
HELD_OUT = 200
EPOCHS, BATCH = 120, 64

# torch 2.13 removed named tensors. Brevitas 0.13 only ever asks to drop names, and there are none.
if not hasattr(Tensor, "rename"):
    Tensor.rename = lambda self, _names: self


class DigitsMLP(nn.Module):
    """64-64-64-64-10, weights and activations of 4 bits.

    Hidden layers have one weight scale per output channel. The last has one for the whole matrix,
    and its bias is an integer multiple of the accumulator's scale: the scores are integers times
    one positive number, so their order is the order of the integers.
    """

    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Sequential(*(self._block(width) for width in (PIXELS, WIDTH, WIDTH)))
        self.last = qnn.QuantLinear(
            WIDTH,
            DIGITS,
            bias=True,
            weight_quant=Int8WeightPerTensorFloat,
            weight_bit_width=BITS,
            bias_quant=Int32Bias,
        )

    @staticmethod
    def _block(inputs: int) -> nn.Sequential:
        return nn.Sequential(
            qnn.QuantLinear(
                inputs,
                WIDTH,
                bias=False,
                weight_quant=Int8WeightPerChannelFloat,
                weight_bit_width=BITS,
            ),
            nn.BatchNorm1d(WIDTH),
            qnn.QuantReLU(
                act_quant=Uint8ActPerTensorFloat, bit_width=BITS, return_quant_tensor=True
            ),
        )

    def forward(self, pixels: Tensor) -> Tensor:
        return self.last(self.hidden(pixels))


class Classifier(nn.Module):
    """The network with its top-1 as the last node."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> Tensor:
        return torch.argmax(self.network(pixels), dim=1)


def train(network: nn.Module, images: Tensor, digits: Tensor) -> nn.Module:
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3, weight_decay=1e-5)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS)
    for epoch in range(EPOCHS):
        network.train()
        # A last batch of one image would give batch normalisation nothing to normalise.
        batches = [b for b in torch.randperm(len(images)).split(BATCH) if len(b) > 1]
        for batch in batches:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(network(images[batch]), digits[batch])
            loss.backward()
            optimizer.step()
        schedule.step()
        if (epoch + 1) % 20 == 0:
            print(f"epoch {epoch + 1:3d}: loss {loss.item():.4f}")
    return network.eval()


def export(network: nn.Module, path: Path, name: str) -> ModelWrapper:
    """Exports to QONNX, names the tensors, and annotates the input as UINT5 (pixels 0..16)."""
    with tempfile.TemporaryDirectory() as scratch:
        exported = str(Path(scratch) / path.name)
        export_qonnx(Classifier(network).eval(), args=torch.zeros(1, PIXELS), export_path=exported)
        model = ModelWrapper(exported)
    for tidy in (
        InferShapes(),
        RemoveStaticGraphInputs(),
        RemoveUnusedTensors(),
        GiveUniqueNodeNames(),
        GiveReadableTensorNames(),
    ):
        model = model.transform(tidy)
    model.rename_tensor(model.graph.input[0].name, "pixels")
    model.rename_tensor(model.graph.output[0].name, "label")
    del model.graph.quantization_annotation[:]
    model.set_tensor_datatype("pixels", DataType["UINT5"])
    model.graph.name = name
    drop_metadata(model)
    model.save(str(path))
    return model


def drop_metadata(model: ModelWrapper) -> None:
    """The exporter notes each node's stack trace, with the paths of the machine that it ran on."""
    graph = model.graph
    for part in (model.model, graph, *graph.node, *graph.initializer, *graph.value_info):
        del part.metadata_props[:]
    for value in (*graph.input, *graph.output):
        del value.metadata_props[:]


def labels_of(model: ModelWrapper, images: np.ndarray) -> np.ndarray:
    """The label that the model gives each image, executed by QONNX node by node."""
    frames = (execute_onnx(model, {"pixels": image[None]})["label"] for image in images)
    return np.concatenate([frame.reshape(1) for frame in frames]).astype(np.int64)


def digits() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Images and digits to train with, and those that are held out."""
    data = load_digits()
    train_x, test_x, train_y, test_y = train_test_split(
        data.data.astype(np.float32),
        data.target.astype(np.int64),
        test_size=HELD_OUT,
        stratify=data.target,
        random_state=SEED,
    )
    return train_x, train_y, test_x, test_y


def quantized_labels(network: nn.Module, images: np.ndarray) -> np.ndarray:
    """The label that the network gives each image, computed by PyTorch."""
    with torch.no_grad():
        return network(torch.from_numpy(images)).argmax(dim=1).numpy()


def main() -> None:
    torch.manual_seed(SEED)
    torch.use_deterministic_algorithms(True)
    train_x, train_y, test_x, test_y = digits()
    network = train(DigitsMLP(), torch.from_numpy(train_x), torch.from_numpy(train_y))
    torch_labels = quantized_labels(network, test_x)

    model = export(network, HERE / "digits.onnx", "digits")
    labels = labels_of(model, test_x)
    np.save(HERE / "images.npy", test_x)
    np.save(HERE / "labels.npy", labels)
    np.save(HERE / "truth.npy", test_y)

    print(f"exported model and PyTorch agree on {np.mean(labels == torch_labels):.1%}")
    print(f"accuracy on {HELD_OUT} held-out images: {np.mean(labels == test_y):.1%}")


if __name__ == "__main__":
    main()
