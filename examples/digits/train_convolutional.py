"""Trains two quantised convolutional networks on the digits and exports them as QONNX.

Writes next to itself ``residual.onnx`` and ``depthwise.onnx``, and for each what the exported model
says of ``images.npy``, executed by QONNX: ``residual_labels.npy`` and ``depthwise_labels.npy``,
int64 ``[200]``. The images and their truth are those of ``train.py``. Seeded: two runs give equal
files.
"""

from __future__ import annotations

import numpy as np
import torch

# First, since it lets Brevitas run with newer versions of PyTorch.
from train import (  # isort: skip
    BITS,
    DIGITS,
    HERE,
    SEED,
    digits,
    export,
    labels_of,
    quantized_labels,
    train,
)
import brevitas.nn as qnn
from brevitas.quant import (
    Int8ActPerTensorFloat,
    Int8WeightPerChannelFloat,
    Int8WeightPerTensorFloat,
    Uint8ActPerTensorFloat,
)
from torch import Tensor, nn

SIDE = 8


def convolution(inputs: int, outputs: int, size: int, stride: int = 1, group: int = 1) -> nn.Module:
    """A convolution with weights of 4 bits, a scale for each output channel, and normalization."""
    return nn.Sequential(
        qnn.QuantConv2d(
            inputs,
            outputs,
            size,
            stride=stride,
            padding=size // 2,
            groups=group,
            bias=False,
            weight_quant=Int8WeightPerChannelFloat,
            weight_bit_width=BITS,
        ),
        nn.BatchNorm2d(outputs),
    )


def rectifier() -> nn.Module:
    """A rectifier with outputs of 4 bits."""
    return qnn.QuantReLU(act_quant=Uint8ActPerTensorFloat, bit_width=BITS, return_quant_tensor=True)


class Residual(nn.Module):
    """Two ways that meet in a sum: two convolutions of 3x3, and the input itself.

    Where the image shrinks or gets more channels, a convolution of 1x1 takes the input's place.

    One quantizer of 5 bits serves both ways, so that the sum is one of integers.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.way = nn.Sequential(
            convolution(inputs, outputs, 3, stride), rectifier(), convolution(outputs, outputs, 3)
        )
        same = inputs == outputs and stride == 1
        self.around = nn.Identity() if same else convolution(inputs, outputs, 1, stride)
        self.quantizer = qnn.QuantIdentity(
            act_quant=Int8ActPerTensorFloat, bit_width=BITS + 1, return_quant_tensor=True
        )
        self.rectifier = rectifier()

    def forward(self, x: Tensor) -> Tensor:
        return self.rectifier(self.quantizer(self.way(x)) + self.quantizer(self.around(x)))


def separable(inputs: int, outputs: int, stride: int = 1) -> nn.Module:
    """A convolution of each channel by itself, and one of 1x1 over all channels."""
    return nn.Sequential(
        convolution(inputs, inputs, 3, stride, group=inputs),
        rectifier(),
        convolution(inputs, outputs, 1),
        rectifier(),
    )


class Images(nn.Module):
    """Rows of 64 pixels as images of one channel."""

    def forward(self, pixels: Tensor) -> Tensor:
        return pixels.reshape(1 if torch.onnx.is_in_onnx_export() else -1, 1, SIDE, SIDE)


def network(*body: nn.Module, channels: int) -> nn.Module:
    """The body between a first convolution and the scores, of the mean of each channel."""
    return nn.Sequential(
        Images(),
        *body,
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        qnn.QuantLinear(
            channels,
            DIGITS,
            bias=False,
            weight_quant=Int8WeightPerTensorFloat,
            weight_bit_width=BITS,
        ),
    )


def residual_network() -> nn.Module:
    first = nn.Sequential(convolution(1, 8, 3), rectifier())
    return network(first, Residual(8, 8), Residual(8, 16, stride=2), channels=16)


def depthwise_network() -> nn.Module:
    first = nn.Sequential(convolution(1, 16, 3), rectifier())
    return network(
        first, separable(16, 16), separable(16, 32, stride=2), separable(32, 32), channels=32
    )


def main() -> None:
    for name, make in (("residual", residual_network), ("depthwise", depthwise_network)):
        torch.manual_seed(SEED)
        torch.use_deterministic_algorithms(True)
        train_x, train_y, test_x, test_y = digits()
        trained = train(make(), torch.from_numpy(train_x), torch.from_numpy(train_y))
        model = export(trained, HERE / f"{name}.onnx", name)
        labels = labels_of(model, test_x)
        np.save(HERE / f"{name}_labels.npy", labels)
        agreement = np.mean(labels == quantized_labels(trained, test_x))
        print(f"{name}: exported model and PyTorch agree on {agreement:.1%}")
        print(f"{name}: accuracy on {len(test_y)} held-out images: {np.mean(labels == test_y):.1%}")


if __name__ == "__main__":
    main()
