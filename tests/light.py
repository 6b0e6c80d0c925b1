"""The light models of the `onnx` package: real architectures, with weights drawn at random.

Their own weights are all equal, which hides every permutation.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

FOLDER = Path(onnx.__path__[0]) / "backend/test/data/light"
NAMES = tuple(sorted(path.stem.removeprefix("light_") for path in FOLDER.glob("*.onnx")))


def light(name: str, seed: int = 0, *, image: int | None = None) -> onnx.ModelProto:
    """One of `NAMES`, with seeded weights in the place of its ConstantOfShape nodes.

    Args:
        name: of the network.
        seed: of the weights.
        image: height and width of its input, in place of 224; not all networks allow others.
    """
    proto = onnx.load(FOLDER / f"light_{name}.onnx")
    graph, rng = proto.graph, np.random.default_rng(seed)
    shapes = {i.name: tuple(numpy_helper.to_array(i)) for i in graph.initializer}
    readers = {
        value: (node.op_type, index)
        for node in graph.node
        for index, value in enumerate(node.input)
    }
    filled = [node for node in graph.node if node.op_type == "ConstantOfShape"]
    kept = [node for node in graph.node if node.op_type != "ConstantOfShape"]
    for node in filled:
        array = _drawn(rng, shapes[node.input[0]], *readers[node.output[0]])
        graph.initializer.append(numpy_helper.from_array(array, node.output[0]))
    _replace(graph, kept, {node.input[0] for node in filled})
    if image is not None:
        _resize(graph, image)
    return proto


def _drawn(
    rng: np.random.Generator, shape: tuple[int, ...], op_type: str, index: int
) -> np.ndarray:
    """Parameters of a node as they are before training, of a normalization as they are after."""
    if op_type in ("Conv", "Gemm") and index == 1:
        drawn = rng.standard_normal(shape, np.float32)
        drawn *= np.float32(np.sqrt(2 / np.prod(shape[1:])))
        return drawn
    if (op_type == "BatchNormalization" and index in (1, 4)) or op_type == "Unsqueeze":
        return rng.uniform(0.5, 1.5, shape).astype(np.float32)
    return (0.1 * rng.standard_normal(shape)).astype(np.float32)


def _resize(graph: onnx.GraphProto, image: int) -> None:
    """Gives the input another height and width."""
    drawn = {tensor.name for tensor in graph.initializer}
    (given,) = (value for value in graph.input if value.name not in drawn)
    for dim in given.type.tensor_type.shape.dim[2:]:
        dim.dim_value = image


def _replace(graph: onnx.GraphProto, nodes: list[onnx.NodeProto], gone: set[str]) -> None:
    del graph.node[:]
    graph.node.extend(nodes)
    for field in (graph.initializer, graph.input):
        left = [item for item in field if item.name not in gone]
        del field[:]
        field.extend(left)
