"""The models that are measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ROOT = Path(__file__).parent.parent
DIGITS = ROOT / "examples" / "digits" / "digits.onnx"
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
