"""Networks that no kernel takes wholly, or that are none: what the compiler says of each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from brainsmith.compiler.explanation import explain
from brainsmith.compiler.frontend import FrontEnd, MappedModel, front_end, load_and_map
from brainsmith.compiler.options import CompileOptions
from brainsmith.compiler.progress import Silent
from brainsmith.compiler.strategy import load_strategy
from brainsmith.compiler.targets import get_target
from brainsmith.errors import ModelError
from brainsmith.model.model import Model
from brainsmith.plugins import PluginRegistry
from tests.builtin.integers import Net

GIGABYTE = 1 << 30


def load(path: Path) -> MappedModel:
    registry = PluginRegistry()
    strategy = load_strategy("balanced", registry).resolved(registry)
    return load_and_map(path, strategy, registry, "xc7", CompileOptions(), Silent())


def mapped(model: Model, folder: Path) -> MappedModel:
    path = folder / "model.onnx"
    model.save(path)
    return load(path)


def designed(model: Model, folder: Path) -> FrontEnd:
    path = folder / "model.onnx"
    model.save(path)
    registry = PluginRegistry()
    strategy = load_strategy("balanced", registry).resolved(registry)
    target = get_target("xc7z020", registry)
    return front_end(path, strategy, target, registry, CompileOptions(), Silent())


def image_net() -> tuple[Net, str]:
    """A network that begins with codes of a 3x3 convolution, [1, 4, 8, 8]."""
    net = Net((1, 3, 8, 8), "UINT4")
    return net, codes(net, "x", 3, 0)


def codes(net: Net, x: str, inputs: int, seed: int, **attributes: object) -> str:
    """Unsigned codes of a convolution with four outputs and rows of weights that all differ."""
    weights = np.random.default_rng(seed).integers(-7, 8, (4, inputs, 3, 3)) / 4
    w = net.quant(weights.astype(np.float32), 0.25, 0, 4, narrow=1)
    y = net.Conv(x, w, kernel_shape=[3, 3], **{"pads": [1, 1, 1, 1], **attributes})
    found: str = net.quant(net.Relu(y), 2.0, 0, 4, signed=0)
    return found


def layers_on_host(found: MappedModel) -> dict[str, str]:
    """Reasons of the layers of the model that the host computes, by operation."""
    nodes = explain(found.original, found.compiled, found.mapping)
    return {n.op_type: n.reason or "" for n in nodes if n.kernel is None and n.role == "layer"}


def peak_memory() -> int:
    """The greatest resident memory of this process, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (peak,) = (line for line in lines if line.startswith("VmHWM:"))
    return int(peak.split()[1]) * 1024


# --- padding and strides that no kernel has -------------------------------------------------


def test_a_mean_over_fewer_pixels_at_the_border_is_on_the_host(tmp_path: Path) -> None:
    net, y = image_net()
    y = net.AveragePool(y, kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    found = mapped(net.model(codes(net, net.quant(y, 0.5, 0, 4, signed=0), 4, 1)), tmp_path)
    assert "fewer pixels" in layers_on_host(found)["AveragePool"]
    taken = [one.taker.kernel.name for one in found.mapping.mapped]
    assert {"Conv2D", "Thresholding"} <= set(taken)


@pytest.mark.parametrize(
    "window",
    [
        {"kernel_shape": [9, 9], "pads": [0, 0, 1, 1]},
        {"kernel_shape": [10, 10], "pads": [1, 1, 1, 1]},
        {"kernel_shape": [2, 2], "strides": [2, 2], "pads": [0, 0, 1, 1]},
        {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "count_include_pad": 1},
    ],
)
def test_a_mean_over_as_many_pixels_everywhere_is_in_hardware(
    window: dict[str, object], tmp_path: Path
) -> None:
    net, y = image_net()
    y = net.quant(net.AveragePool(y, **window), 0.5, 0, 4, signed=0)
    found = mapped(net.model(y), tmp_path)
    assert "AveragePool" not in layers_on_host(found)
    kernels = [one.taker.kernel.name for one in found.mapping.mapped]
    assert "DepthwiseConv2D" in kernels


def test_a_transposed_convolution_with_a_stride_is_on_the_host(tmp_path: Path) -> None:
    net, y = image_net()
    w = net.quant(np.ones((4, 2, 2, 2), np.float32), 1.0, 0, 4, narrow=1)
    y = net.quant(net.ConvTranspose(y, w, strides=[2, 2]), 2.0, 0, 4, signed=0)
    found = mapped(net.model(y), tmp_path)
    assert layers_on_host(found)["ConvTranspose"] == "no integer form of ConvTranspose is known"


# --- shapes that do not fit each other ------------------------------------------------------


@pytest.mark.parametrize("operation", ["Conv", "Add", "MatMul", "Concat"])
def test_shapes_that_do_not_fit_are_an_error_that_names_the_node(
    operation: str, tmp_path: Path
) -> None:
    net, y = image_net()
    if operation == "Conv":
        y = codes(net, y, 5, 1)
    elif operation == "Add":
        y = net.Add(y, codes(net, y, 4, 1, pads=[0, 0, 0, 0]))
    elif operation == "MatMul":
        y = net.MatMul(net.Flatten(y), np.ones((7, 2), np.float32))
    else:
        y = net.Concat(y, codes(net, y, 4, 1, pads=[0, 0, 0, 0]), axis=1)
    path = tmp_path / "model.onnx"
    onnx.save(net.proto(y), path)
    with pytest.raises(ModelError) as caught:
        load(path)
    assert operation in str(caught.value)


# --- branches and outputs -------------------------------------------------------------------


def test_a_branch_that_nobody_reads_is_left_out(tmp_path: Path) -> None:
    net, y = image_net()
    codes(net, y, 4, 1)
    found = mapped(net.model(codes(net, y, 4, 2)), tmp_path)
    kernels = [one.taker.kernel.name for one in found.mapping.mapped]
    assert kernels.count("Thresholding") == 2


def test_a_branch_that_never_meets_again_is_an_output_of_its_own(tmp_path: Path) -> None:
    net, y = image_net()
    a, b = codes(net, y, 4, 1), codes(net, y, 4, 2)
    made = designed(net.model(a, b), tmp_path)
    (partition,) = made.design.partitions
    assert len(partition.outputs) == 2
    assert sum(one.role == "duplicate" for one in partition.instances) == 1
    assert [value.name for value in made.compiled.graph.outputs] == [a, b]


def test_a_graph_without_outputs_is_an_error(tmp_path: Path) -> None:
    net, _ = image_net()
    path = tmp_path / "model.onnx"
    onnx.save(net.proto(), path)
    with pytest.raises(ModelError, match="no output"):
        load(path)


# --- size -----------------------------------------------------------------------------------


def test_two_gigabytes_of_weights_are_refused_unread(tmp_path: Path) -> None:
    """The file has holes in place of data: it takes no room on the disk, and may not in memory."""
    side = 16384
    with (tmp_path / "weights").open("wb") as file:
        file.truncate(2 * 4 * side * side)
    weights = []
    for index in range(2):
        tensor = TensorProto(name=f"w{index}", data_type=TensorProto.FLOAT, dims=[side, side])
        tensor.data_location = TensorProto.EXTERNAL
        entries = {"location": "weights", "offset": index * 4 * side * side}
        for key, value in entries.items():
            tensor.external_data.add(key=key, value=str(value))
        weights.append(tensor)
    nodes = [
        helper.make_node("MatMul", ["x", "w0"], ["h"], "first"),
        helper.make_node("MatMul", ["h", "w1"], ["y"], "second"),
    ]
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, side]) for n in "xy"]
    graph = helper.make_graph(nodes, "large", ends[:1], ends[1:], weights)
    path = tmp_path / "large.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]), path)
    Path("/proc/self/clear_refs").write_text("5")  # the peak is that of now
    before = peak_memory()
    with pytest.raises(ModelError, match=r"2\.15 GB of constants") as caught:
        load(path)
    assert caught.value.hint
    assert peak_memory() - before < GIGABYTE // 4
