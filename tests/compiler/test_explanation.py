"""Layers of the model, and what the host does at the edges of the hardware, are told apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from brainsmith.compiler import Compiler


def qdq_layer(path: Path, *, softmax: bool = False, named: bool = True) -> Path:
    """A real input, quantized to 8 bits; 8-bit weights; real outputs."""
    constants = {
        "s": np.float32(1 / 128), "z": np.uint8(0), "ws": np.float32(0.01), "wz": np.int8(0),
        "wq": np.arange(-24, 24, dtype=np.int8).reshape(8, 6), "b": np.ones(6, dtype=np.float32),
    }  # fmt: skip
    nodes = [
        ("QuantizeLinear", ["x", "s", "z"], "xq"),
        ("DequantizeLinear", ["xq", "s", "z"], "xd"),
        ("DequantizeLinear", ["wq", "ws", "wz"], "w"),
        ("Gemm", ["xd", "w", "b"], "y"),
    ]
    if softmax:
        nodes.append(("Softmax", ["y"], "p"))
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 8])
    y = helper.make_tensor_value_info(nodes[-1][2], TensorProto.FLOAT, [1, 6])
    graph = helper.make_graph(
        [helper.make_node(op, i, [o], f"my_{op}_{o}" if named else "") for op, i, o in nodes],
        "g", [x], [y], [numpy_helper.from_array(np.asarray(a), n) for n, a in constants.items()],
    )  # fmt: skip
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path
    )
    return path


def roles(model: Path) -> dict[str, set[str]]:
    """Operators by role."""
    found: dict[str, set[str]] = {}
    for node in Compiler().explain(model):
        found.setdefault(node.role, set()).add(node.op_type)
    return found


def test_quantizing_the_input_and_scaling_the_output_are_no_layers(tmp_path: Path) -> None:
    found = roles(qdq_layer(tmp_path / "m.onnx"))
    assert found["layer"] == {"MatMul"}
    assert "QuantizeLinear" in found["input"]
    assert {"Mul", "Add"} <= found["output"]


@pytest.mark.parametrize("named", [True, False])
def test_a_layer_on_the_host_is_counted_and_what_leads_to_it_is_not(
    tmp_path: Path, named: bool
) -> None:
    model = qdq_layer(tmp_path / "m.onnx", softmax=True, named=named)
    found = roles(model)
    assert found["layer"] == {"MatMul", "Softmax"}
    assert "Mul" in found["between"]
    (scale,) = (node for node in Compiler().explain(model) if node.op_type == "Mul")
    assert scale.reason is not None and "Softmax" in scale.reason
