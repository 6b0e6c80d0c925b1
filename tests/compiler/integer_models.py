"""Small models that are already integer, so that mapping and what follows are tested alone."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

from brainsmith.model.datatypes import IntType

QONNX = "qonnx.custom_op.general"


class Builder:
    """A QONNX graph that grows node by node."""

    def __init__(self, inputs: Sequence[int], dtype: str) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []
        self.dtypes = {"x": dtype}
        self.shapes = {"x": list(inputs)}

    def constant(self, name: str, array: np.ndarray, dtype: str = "") -> str:
        self.constants.append(numpy_helper.from_array(array, name))
        if dtype:
            self.dtypes[name] = dtype
        return name

    def add(
        self,
        op_type: str,
        inputs: Sequence[str],
        output: str,
        shape: Sequence[int],
        dtype: str = "",
        **attributes: object,
    ) -> str:
        self.nodes.append(
            helper.make_node(op_type, inputs, [output], f"{op_type}_{output}", **attributes)
        )
        self.shapes[output] = list(shape)
        if dtype:
            self.dtypes[output] = dtype
        return output

    def matmul(self, source: str, output: str, weights: np.ndarray, dtype: str = "INT4") -> str:
        name = self.constant(f"w_{output}", weights.astype(np.float32), dtype)
        given = IntType.parse(self.dtypes[source])
        most = int(np.abs(weights).sum(axis=0).max()) * max(-given.min, given.max)
        result = IntType.covering(-most, most).name
        return self.add("MatMul", [source, name], output, [1, weights.shape[1]], result)

    def thresholds(self, source: str, output: str, table: np.ndarray) -> str:
        """Unsigned codes: how many thresholds the value reaches."""
        dtype = IntType.covering(0, table.shape[1]).name
        name = self.constant(f"t_{output}", table.astype(np.float32), self.dtypes[source])
        attributes = {"out_dtype": dtype, "out_scale": 1.0, "out_bias": 0.0, "domain": QONNX}
        return self.add(
            "MultiThreshold", [source, name], output, self.shapes[source], dtype, **attributes
        )

    def save(self, path: Path, *outputs: str, element: int = TensorProto.FLOAT) -> Path:
        ends = [helper.make_tensor_value_info(n, element, self.shapes[n]) for n in outputs]
        known = [
            helper.make_tensor_value_info(n, TensorProto.FLOAT, s)
            for n, s in self.shapes.items()
            if n != "x" and n not in outputs
        ]
        start = helper.make_tensor_value_info("x", TensorProto.FLOAT, self.shapes["x"])
        graph = helper.make_graph(self.nodes, "g", [start], ends, self.constants, value_info=known)
        for name, dtype in self.dtypes.items():
            annotation = graph.quantization_annotation.add(tensor_name=name)
            annotation.quant_parameter_tensor_names.add(key="finn_datatype", value=dtype)
        opsets = [helper.make_opsetid("", 18), helper.make_opsetid(QONNX, 1)]
        onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), path)
        return path


def mlp(path: Path, widths: Sequence[int] = (12, 8, 6), seed: int = 0) -> Path:
    """Matrix products with 4-bit weights, each but the last with 2-bit thresholds."""
    rng = np.random.default_rng(seed)
    builder = Builder([1, widths[0]], "UINT4")
    value = "x"
    for i, (k, m) in enumerate(itertools.pairwise(widths)):
        value = builder.matmul(value, f"m{i}", rng.integers(-7, 8, (k, m)))
        if i < len(widths) - 2:
            table = np.sort(rng.integers(-40, 40, (m, 3)), axis=1)
            value = builder.thresholds(value, f"h{i}", table)
    return builder.save(path, value)


def branches(path: Path) -> Path:
    """Two products of one input, added: a value with two readers that meet again."""
    rng = np.random.default_rng(1)
    builder = Builder([1, 8], "INT4")
    table = np.sort(rng.integers(-8, 8, (8, 3)), axis=1)
    short = builder.thresholds("x", "h0", table)
    long = builder.matmul(short, "m0", rng.integers(-7, 8, (8, 8)))
    long = builder.thresholds(long, "h1", np.sort(rng.integers(-20, 20, (8, 3)), axis=1))
    return builder.save(path, builder.add("Add", [short, long], "y", [1, 8], "UINT3"))
