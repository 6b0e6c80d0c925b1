"""Convolutional networks, from the graph to the hardware in simulation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import qonnx
from onnx import helper

from brainsmith.api import Model, TransformConfig
from brainsmith.builtin.transforms.channels_last import ChannelsLast
from brainsmith.builtin.transforms.streamline import Streamline
from brainsmith.builtin.transforms.weights import is_constant_like
from brainsmith.compiler import CompileOptions, Compiler
from brainsmith.compiler.rounding import SumBound
from brainsmith.model.execution import execute
from tests.builtin.integers import QONNX, Net, cleaned


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


def test_a_label_behind_a_pooled_image_is_compared_as_it_is(tmp_path: Path) -> None:
    """The view in front of it moves no element, and what reads the view is no image."""
    rng = np.random.default_rng(3)
    net = Net((1, 3, 6, 6), "UINT4")
    y = convolution(net, rng, net.Mul("x", np.float32(0.05)), 4, 3, 3)
    y = net.quant(net.GlobalMaxPool(net.quant(net.Relu(y), 0.1, 0, 4, signed=0)), 0.1, 0, 4)
    path = tmp_path / "label.onnx"
    net.model(net.ArgMax(net.Flatten(y), axis=1, keepdims=0), element=7).save(path)
    options = CompileOptions(target="xc7z020", synthesize=False, place=False, output=tmp_path / "b")
    result = Compiler().compile(path, options=options)
    assert result.success and result.report.verification.bit_exact


def test_a_sum_is_bound_wherever_its_elements_go() -> None:
    """Of blocks of pixels made of the channels of a convolution, and of the greatest of four."""
    rng = np.random.default_rng(4)
    net = Net((1, 2, 4, 4))
    sums = net.Conv("x", rng.normal(size=(8, 2, 3, 3)).astype(np.float32), kernel_shape=[3, 3])
    blocks = net.DepthToSpace(sums, blocksize=2)
    greatest = net.MaxPool(blocks, kernel_shape=[2, 2], strides=[2, 2])
    model = net.model(sums, blocks, greatest)
    x = rng.normal(size=(1, 2, 4, 4)).astype(np.float32)
    bounds = []
    for name in (sums, blocks, greatest):
        bound = SumBound.of(model, model.value(name))
        assert bound is not None and bound.reads == {"x"}
        bounds.append(bound({"x": x}))
        assert bounds[-1].shape == model.shape(model.value(name))
    moved = bounds[0].reshape(1, 2, 2, 2, 2, 2).transpose(0, 3, 4, 1, 5, 2).reshape(1, 2, 4, 4)
    assert np.allclose(bounds[1], moved, rtol=1e-6) and (bounds[1] >= moved * (1 - 1e-7)).all()
    assert np.allclose(bounds[2], moved.reshape(1, 2, 2, 2, 2, 2).max(axis=(3, 5)), rtol=1e-6)


def test_a_mean_whose_axes_are_an_input_is_bound() -> None:
    net = Net((1, 2, 3, 4))
    mean = net.ReduceMean("x", np.array([2, 3]), keepdims=0)
    model = net.model(mean)
    bound = SumBound.of(model, model.value(mean))
    assert bound is not None
    x = np.random.default_rng(5).normal(size=(1, 2, 3, 4)).astype(np.float32)
    found = bound({"x": x})
    assert found.shape == (1, 2) and (found >= np.abs(x).mean(axis=(2, 3)) * 2.0**-24).all()


@pytest.mark.parametrize(
    ("pads", "extra", "reason"),
    [
        ([0, 0, 1, 1, 0, 0, 1, 1], [np.float32(0.03)], "no code of its input"),
        ([1, 1, 1, 1], [np.float32(0), np.array([2, 3])], "names its axes"),
        ([0, 1, 0, 0, 0, 0, 0, 0], [np.float32(0)], "pads the batch or the channels"),
    ],
)
def test_padding_that_no_kernel_does_stays_on_the_host(
    pads: list[int], extra: list[np.ndarray], reason: str
) -> None:
    rng = np.random.default_rng(5)
    net = Net((1, 3, 6, 6), "UINT4")
    padded = net.Pad(net.Mul("x", np.float32(0.05)), np.array(pads, np.int64), *extra)
    channels = 3 + pads[1] * (len(pads) == 8)
    model = net.model(net.quant(convolution(net, rng, padded, 4, channels, 3), 0.1, 0, 4))
    compiled = Streamline().apply(ChannelsLast().apply(model, TransformConfig()), TransformConfig())
    assert any(reason in note.reason for note in compiled.notes)
    frames = {"x": rng.integers(0, 16, (1, 3, 6, 6)).astype(np.float32)}
    for name, expected in execute(model, frames).items():
        found = execute(compiled, frames)[name]
        assert np.allclose(found, expected, atol=1e-5, equal_nan=True)


@pytest.mark.slow
@pytest.mark.parametrize("bits", ["8", "4"])
def test_a_float_network_reads_its_digit_in_hardware(bits: str, tmp_path: Path) -> None:
    """The network and the digit that QONNX ships; it is calibrated with that one frame."""
    folder = Path(qonnx.__file__).parent / "data" / "onnx" / "mnist-conv"
    digit, scores = (
        onnx.numpy_helper.to_array(
            onnx.TensorProto.FromString((folder / "test_data_set_0" / name).read_bytes())
        )
        for name in ("input_0.pb", "output_0.pb")
    )
    frames = tmp_path / "digit.npy"
    np.save(frames, digit)
    options = CompileOptions(
        target="xc7z020", target_fps=1000, synthesize=False, place=False, output=tmp_path / "b",
        quantize=bits, calibrate=frames, verify_input=frames,
    )  # fmt: skip
    result = Compiler().compile(folder / "model.onnx", options=options)
    assert result.success and result.report.verification.bit_exact
    found = result.accelerator.run(digit)
    assert isinstance(found, np.ndarray) and found.argmax() == scores.argmax() == 2
    on_host = {node.node for node in result.report.host_nodes if node.role == "layer"}
    assert on_host == {"Plus214"}  # the last sum, which no quantizer follows


def _split(net: Net, x: str, sizes: list[int]) -> list[str]:
    """The channels of an image in parts, as a Split of its own opset has it."""
    names = [f"part{i}" for i in range(len(sizes))]
    inputs = [x, net.constant(np.array(sizes, np.int64))]
    net.nodes.append(helper.make_node("Split", inputs, names, name="Split", axis=1))
    return names


def split_network() -> Model:
    """Three parts of the channels, of which one is convolved and one read twice, and their sum."""
    rng = np.random.default_rng(6)
    net = Net((1, 2, 5, 6), "UINT4")
    x = net.quant(convolution(net, rng, "x", 8, 2, 3), 0.25, 0, 4)
    first, second, third = _split(net, x, [2, 4, 2])
    second = net.quant(convolution(net, rng, second, 2, 4, 1), 0.25, 0, 4)
    y = net.Concat(first, second, net.Add(third, first), axis=1)
    return net.model(net.quant(y, 0.5, 0, 3))


def test_channels_are_split_in_hardware(tmp_path: Path) -> None:
    path = tmp_path / "split.onnx"
    split_network().save(path)
    options = CompileOptions(target="xc7z020", synthesize=False, place=False, output=tmp_path / "b")
    result = Compiler().compile(path, options=options)
    assert result.success and result.report.verification.bit_exact
    kernels = [layer.kernel for layer in result.report.layers]
    assert kernels.count("brainsmith:Split") == 2
    pieces = {record.node for record in result.report.host_nodes if record.role == "layer"}
    assert pieces == {"x_turned", "Quant_9_Quant_out_turned"}


def test_an_image_that_is_turned_back_stands_for_the_original() -> None:
    """A swap of rows and columns has no rule, so it reads the image as it was."""
    rng = np.random.default_rng(7)
    net = Net((1, 2, 5, 6), "UINT4")
    x = net.quant(convolution(net, rng, "x", 3, 2, 3), 0.25, 0, 4)
    model = net.model(net.quant(net.Transpose(x, perm=[0, 1, 3, 2]), 0.5, 0, 3))
    compiled = Streamline().apply(ChannelsLast().apply(model, TransformConfig()), TransformConfig())
    originals = {origin.value for origin in compiled.origins.values()}
    assert originals and all(model.find(name) is not None for name in originals)


@pytest.mark.slow
def test_a_network_over_rows_is_bit_exact_and_never_stalls(tmp_path: Path) -> None:
    """Strides, dilations, uneven padding, groups, and what else works on images."""
    rng = np.random.default_rng(8)
    net = Net((1, 4, 37), "INT4")
    w = net.quant(rng.normal(size=(6, 2, 5)).astype(np.float32) * 0.3, 0.1, 0, 4, narrow=1)
    y = net.Conv("x", w, strides=[2], dilations=[2], pads=[3, 1], group=2)
    y = net.quant(net.Relu(y), 0.5, 0, 3, signed=0)
    w = net.quant(rng.normal(size=(6, 1, 3)).astype(np.float32) * 0.3, 0.1, 0, 3, narrow=1)
    y = net.quant(net.Conv(y, w, auto_pad="SAME_UPPER", group=6), 0.25, 0, 4)
    y = net.MaxPool(net.Add(y, y), kernel_shape=[3], strides=[2])
    scales = np.array([1, 1, 2], np.float32)
    y = net.Resize(y, "", scales, nearest_mode="floor", coordinate_transformation_mode="asymmetric")
    w = net.quant(rng.normal(size=(3, 6, 1)).astype(np.float32) * 0.3, 0.1, 0, 4, narrow=1)
    y = net.quant(net.Conv(net.quant(y, 0.5, 0, 4), w), 0.5, 0, 4)
    path = tmp_path / "rows.onnx"
    net.model(y).save(path)
    options = CompileOptions(target="xc7z020", synthesize=False, place=False, output=tmp_path / "b")
    result = Compiler().compile(path, options=options)
    assert result.success and result.report.verification.bit_exact
    pieces = {record.node for record in result.report.host_nodes if record.role == "layer"}
    assert all(piece.endswith("_turned") for piece in pieces)


def test_parts_are_cut_in_an_old_operator_set() -> None:
    """There the sizes are an attribute, in the hardware's model as in the original."""
    net = Net((1, 5, 4), "INT4")
    names = ["a", "b", "c"]
    net.nodes.append(helper.make_node("Split", ["x"], names, axis=1, split=[1, 2, 2]))
    y = net.quant(net.Add("b", "c"), 2.0, 0, 3)
    infos = [helper.make_tensor_value_info(name, 1, None) for name in (y, "a")]
    graph = helper.make_graph(net.nodes, "net", [net.input], infos, net.constants)
    entry = graph.quantization_annotation.add(tensor_name="x")
    entry.quant_parameter_tensor_names.add(key="finn_datatype", value="INT4")
    opsets = [helper.make_opsetid("", 11), helper.make_opsetid(QONNX, 2)]
    model = cleaned(Model.from_proto(helper.make_model(graph, opset_imports=opsets, ir_version=7)))
    compiled = Streamline().apply(model, TransformConfig())
    assert [node.op_type for node in compiled.graph].count("Split") == 2
    frames = {"x": np.random.default_rng(9).integers(-8, 8, (1, 5, 4)).astype(np.float32)}
    for name, expected in execute(model, frames).items():
        assert np.array_equal(execute(compiled, frames)[name], expected)
