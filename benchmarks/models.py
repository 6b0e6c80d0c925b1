"""The models that are measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import qonnx
from onnx import TensorProto, helper, numpy_helper

from tests.light import light

ROOT = Path(__file__).parent.parent
DIGITS = ROOT / "examples" / "digits" / "digits.onnx"
ESPCN_FOLDER = Path(qonnx.__file__).parent / "data/onnx/bsd300x3-espcn"
ESPCN = ESPCN_FOLDER / "subpixel/quant_model.onnx"
TFC = ROOT.parent / "shared" / "models" / "tfc-w1a1" / "model.onnx"


def chain(nodes: int, folder: Path, width: int = 8) -> Path:
    """A QONNX chain of `nodes` nodes: 4-bit matrix products, each with a 4-bit activation."""
    rng = np.random.default_rng(0)
    graph_nodes, initializers = [], []

    def constant(name: str, value: np.ndarray) -> str:
        initializers.append(numpy_helper.from_array(value.astype(np.float32), name))
        return name

    one, zero, bits = (
        constant(n, np.array(v)) for n, v in (("one", 1.0), ("zero", 0.0), ("bits", 4.0))
    )
    scale = constant("scale", np.array(8.0))
    value = "x"
    for layer in range(nodes // 3):
        weight = constant(f"w{layer}", rng.integers(-7, 8, (width, width)))
        quant = {"domain": "qonnx.custom_op.general", "narrow": 0, "rounding_mode": "ROUND"}
        graph_nodes += [
            helper.make_node(
                "Quant",
                [weight, one, zero, bits],
                [f"q{layer}"],
                f"Weight_{layer}",
                signed=1,
                **quant,
            ),
            helper.make_node("MatMul", [value, f"q{layer}"], [f"m{layer}"], f"MatMul_{layer}"),
            helper.make_node(
                "Quant",
                [f"m{layer}", scale, zero, bits],
                [f"a{layer}"],
                f"Act_{layer}",
                signed=0,
                **quant,
            ),
        ]
        value = f"a{layer}"
    shape = [1, width]
    graph = helper.make_graph(
        graph_nodes,
        "chain",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(value, TensorProto.FLOAT, shape)],
        initializers,
    )
    annotation = graph.quantization_annotation.add(tensor_name="x")
    annotation.quant_parameter_tensor_names.add(key="finn_datatype", value="UINT4")
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("qonnx.custom_op.general", 1)]
    path = folder / f"chain{nodes}.onnx"
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), path)
    return path


def resnet50(folder: Path) -> Path:
    """The light ResNet-50 of the `onnx` package, with weights drawn at random."""
    path = folder / "resnet50.onnx"
    onnx.save(light("resnet50"), path)
    return path


def quantized(path: Path, frames: int = 2) -> Path:
    """A float model of one input, quantized to 8 bits with random frames by `QuantizeModel`."""
    from brainsmith.compiler import stages
    from brainsmith.compiler.progress import Silent
    from brainsmith.compiler.quantization import quantizing_first
    from brainsmith.compiler.strategy import load_strategy
    from brainsmith.model.model import Model
    from brainsmith.plugins import PluginRegistry

    model = Model.load(path)
    shape = model.shape(model.graph.inputs[0])
    typical = np.random.default_rng(1).standard_normal((frames, *shape[1:]), np.float32)
    np.save(path.with_suffix(".npy"), typical)
    registry = PluginRegistry()
    strategy = quantizing_first(
        load_strategy("balanced", registry).resolved(registry), "8", path.with_suffix(".npy"), None
    )
    first = stages.plan(strategy.transforms[:1], registry, "xc7")
    staged = stages.run(model, first, Silent())
    target = path.with_name(f"{path.stem}_quantized.onnx")
    staged.model.save(target)
    return target


def crop(size: int) -> np.ndarray:
    """The middle of the image that comes with ESPCN: (1, 3, size, size), multiples of 1/255."""
    tensor = onnx.load_tensor(ESPCN_FOLDER / "test_data/input_0.pb")
    image = numpy_helper.to_array(tensor)
    start = (image.shape[-1] - size) // 2
    return image[..., start : start + size, start : start + size]


def espcn(variant: str, size: int, path: Path) -> Path:
    """ESPCN (super-resolution, shipped with QONNX), quantized, for images of another size."""
    proto = onnx.load(ESPCN_FOLDER / variant / "quant_model.onnx")
    constants = {tensor.name for tensor in proto.graph.initializer}
    image = next(value for value in proto.graph.input if value.name not in constants)
    for dim in image.type.tensor_type.shape.dim[2:]:
        dim.dim_value = size
    del proto.graph.value_info[:]
    onnx.save(proto, path)
    return path


def reading_codes(path: Path) -> Path:
    """The model with an input of 8-bit codes, which it divides by 255 itself."""
    proto = onnx.load(path)
    graph = proto.graph
    constants = {tensor.name for tensor in graph.initializer}
    reals = next(value for value in graph.input if value.name not in constants)
    shape = [dim.dim_value for dim in reals.type.tensor_type.shape.dim]
    graph.input.remove(reals)
    graph.input.insert(0, helper.make_tensor_value_info("image", onnx.TensorProto.UINT8, shape))
    graph.initializer.append(numpy_helper.from_array(np.float32(255), "white"))
    graph.node.insert(0, helper.make_node("Cast", ["image"], ["levels"], to=onnx.TensorProto.FLOAT))
    graph.node.insert(1, helper.make_node("Div", ["levels", "white"], [reals.name]))
    onnx.save(proto, path)
    return path


def convolution(channels: int, size: int, path: Path) -> Path:
    """A 3x3 convolution of 4-bit images, as many channels out as in, with a 4-bit activation."""
    rng = np.random.default_rng(0)
    weights = rng.integers(-7, 8, (channels, channels, 3, 3)).astype(np.float32)
    arrays = {"w": weights, "one": 1.0, "zero": 0.0, "four": 4.0, "scale": 64.0}
    domain = "qonnx.custom_op.general"
    quant = {"domain": domain, "narrow": 0, "rounding_mode": "ROUND"}
    nodes = [
        helper.make_node("Quant", ["w", "one", "zero", "four"], ["weights"], signed=1, **quant),
        helper.make_node("Conv", ["x", "weights"], ["sums"], "Conv", kernel_shape=[3, 3]),
        helper.make_node("Quant", ["sums", "scale", "zero", "four"], ["y"], signed=0, **quant),
    ]
    graph = helper.make_graph(
        nodes,
        "convolution",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, channels, size, size])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, channels, size - 2, size - 2])],
        [
            numpy_helper.from_array(np.asarray(array, np.float32), name)
            for name, array in arrays.items()
        ],
    )
    annotation = graph.quantization_annotation.add(tensor_name="x")
    annotation.quant_parameter_tensor_names.add(key="finn_datatype", value="UINT4")
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid(domain, 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), path)
    return path
