"""Convolutional networks, from the graph to the hardware in simulation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from brainsmith.api import Model, TransformConfig
from brainsmith.builtin.transforms.channels_last import ChannelsLast
from brainsmith.builtin.transforms.weights import is_constant_like
from brainsmith.compiler import CompileOptions, Compiler
from brainsmith.model.execution import execute
from tests.builtin.integers import Net


def convolution(
    net: Net,
    rng: np.random.Generator,
    x: str,
    outputs: int,
    inputs: int,
    size: int,
    **attributes: object,
) -> str:
    """A convolution with weights of 4 bits and a scale for each output channel."""
    weights = rng.normal(size=(outputs, inputs, size, size)).astype(np.float32) * 0.3
    scale = rng.uniform(0.02, 0.1, (outputs, 1, 1, 1)).astype(np.float32)
    w = net.quant(weights, scale, 0, 4, narrow=1)
    y: str = net.Conv(x, w, kernel_shape=[size, size], **attributes)
    return y


def residual_network() -> Model:
    """Dense, depthwise and 1x1 convolutions, both poolings, and a sum around two of them."""
    rng = np.random.default_rng(0)
    net = Net((1, 3, 10, 9), "UINT4")
    x = net.Mul("x", np.float32(0.05))
    y = net.Relu(convolution(net, rng, x, 8, 3, 3, pads=[1, 1, 1, 1]))
    y = net.quant(y, 0.1, 0, 4, signed=0)
    around = net.MaxPool(y, kernel_shape=[2, 2], strides=[2, 2])
    y = net.Relu(convolution(net, rng, around, 8, 1, 3, pads=[1, 1, 1, 1], group=8))
    y = net.quant(y, 0.1, 0, 4, signed=0)
    y = net.quant(convolution(net, rng, y, 8, 8, 1), 0.1, 0, 4)
    y = net.quant(net.Relu(net.Add(y, around)), 0.1, 0, 4, signed=0)
    y = net.quant(net.GlobalAveragePool(y), 0.05, 0, 4, signed=0)
    w = net.quant(rng.normal(size=(8, 5)).astype(np.float32) * 0.3, 0.1, 0, 4, narrow=1)
    return net.model(net.MatMul(net.Flatten(y), w))


def test_turned_images_compute_the_same() -> None:
    model = residual_network()
    turned = ChannelsLast().apply(model, TransformConfig())
    turns = [
        node.inputs[0]
        for node in turned.graph
        if node.op_type == "Transpose" and not is_constant_like(turned, node.inputs[0])
    ]
    assert [value.name for value in turns] == ["x"]
    frames = {"x": np.random.default_rng(1).integers(0, 16, (1, 3, 10, 9)).astype(np.float32)}
    for name, expected in execute(model, frames).items():
        assert np.allclose(execute(turned, frames)[name], expected, atol=1e-5)


@pytest.mark.slow
def test_a_residual_network_is_bit_exact_and_never_stalls(tmp_path: Path) -> None:
    path = tmp_path / "residual.onnx"
    residual_network().save(path)
    options = CompileOptions(
        target="xc7z020", synthesize=False, place=False, output=tmp_path / "build"
    )
    result = Compiler().compile(path, options=options)
    assert result.success, [
        check for check in result.report.verification.checks if not check.passed
    ]
    assert result.report.verification.bit_exact
    kernels = {layer.kernel for layer in result.report.layers}
    assert {"brainsmith:SlidingWindow", "brainsmith:Pad", "brainsmith:Pool"} <= kernels
    assert {"brainsmith:Depthwise", "brainsmith:MatMul", "brainsmith:Add"} <= kernels
    pieces = {record.node for record in result.report.host_nodes if record.role == "layer"}
    assert pieces == {"x_turned"}
