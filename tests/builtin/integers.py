"""Models for the tests of streamlining, and an interpreter of integer models in int64."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
from onnx import helper

from brainsmith.api import Model, TransformConfig, is_view
from brainsmith.builtin.transforms.cleanup import GiveUniqueNames, InferShapes, RemoveUnused
from brainsmith.builtin.transforms.cleanup_folding import FoldConstants
from brainsmith.builtin.transforms.minimize_bit_widths import MinimizeBitWidths
from brainsmith.builtin.transforms.streamline import Streamline
from brainsmith.model.execution import Executor

QONNX = "qonnx.custom_op.general"


class Net:
    """A model that grows node by node: `y = net.Relu(x)`."""

    def __init__(self, shape: Sequence[int], datatype: str = "", element: int = 1) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.input = helper.make_tensor_value_info("x", element, list(shape))
        self.datatype = datatype

    def constant(self, array: Any) -> str:
        name = f"c{len(self.constants)}"
        array = np.asarray(array)
        array = array.astype(np.float32) if array.dtype == np.float64 else array
        self.constants.append(onnx.numpy_helper.from_array(array, name))
        return name

    def __getattr__(self, op_type: str) -> Any:
        def add(*inputs: Any, domain: str = "", **attributes: Any) -> str:
            names = [i if isinstance(i, str) else self.constant(i) for i in inputs]
            output = f"v{len(self.nodes)}"
            name = f"{op_type}_{len(self.nodes)}"
            outputs = ["", output] if op_type == "TopK" else [output]
            if op_type == "TopK":
                outputs[0] = f"{output}_values"
            self.nodes.append(
                helper.make_node(op_type, names, outputs, name=name, domain=domain, **attributes)
            )
            return output

        return add

    def quant(self, x: Any, scale: Any, zero: float, bits: int, **attributes: Any) -> str:
        attributes = {"signed": 1, "narrow": 0, "rounding_mode": "ROUND", **attributes}
        made: str = self.Quant(
            x, np.float32(scale), np.float32(zero), np.float32(bits), domain=QONNX, **attributes
        )
        return made

    def model(self, *outputs: str, element: int = 1) -> Model:
        return cleaned(Model.from_proto(self.proto(*outputs, element=element)))

    def proto(self, *outputs: str, element: int = 1) -> onnx.ModelProto:
        """The model as it is, which may be none."""
        infos = [helper.make_tensor_value_info(name, element, None) for name in outputs]
        graph = helper.make_graph(self.nodes, "net", [self.input], infos, self.constants)
        if self.datatype:
            entry = graph.quantization_annotation.add(tensor_name="x")
            entry.quant_parameter_tensor_names.add(key="finn_datatype", value=self.datatype)
        opsets = [helper.make_opsetid("", 21), helper.make_opsetid(QONNX, 2)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=10)


def cleaned(model: Model) -> Model:
    """The model after the transforms of the first stage that streamlining needs."""
    config = TransformConfig()
    for step in (FoldConstants(), InferShapes(), GiveUniqueNames(), RemoveUnused()):
        model = step.apply(model, config)
    return model


def streamlined(model: Model, *, minimize: bool = True) -> Model:
    """The compiled integer model."""
    config = TransformConfig()
    model = Streamline().apply(model, config)
    return MinimizeBitWidths().apply(model, config) if minimize else model


def operators(model: Model) -> list[str]:
    """The operators of a model, in order."""
    return [node.op_type for node in model.graph]


def interpret(model: Model, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Runs the integer nodes of a compiled model in int64 and checks every range on the way.

    Stops at the first node that is not one of integers; what follows it is left out.
    """
    values: dict[ir.Value, np.ndarray] = {}
    for name, array in inputs.items():
        values[model.value(name)] = np.asarray(array).astype(np.int64)
    for node in model.graph:
        operands = [values.get(v, _integers(model, v)) for v in node.inputs if v is not None]
        result = None if any(o is None for o in operands) else _step(model, node, operands)
        if result is None:
            continue
        output = node.outputs[-1 if node.op_type == "TopK" else 0]
        limits = model.range_of(output)
        datatype = model.datatype(output)
        if limits is None or datatype is None:
            continue
        assert limits[0] <= result.min() and result.max() <= limits[1], output.name
        values[output] = result
    return {value.name or "": array for value, array in values.items()}


def _integers(model: Model, value: ir.Value) -> np.ndarray | None:
    array = model.constant(value)
    return None if array is None else array.astype(np.int64)


def _step(model: Model, node: ir.Node, x: list[Any]) -> np.ndarray | None:
    if is_view(node):
        return np.asarray(x[0].reshape(len(x[0]), *model.shape(node.outputs[0])[1:]))
    if node.op_type == "MultiThreshold":
        table = np.broadcast_to(x[1], (x[0].shape[-1], x[1].shape[1]))
        assert (np.diff(table, axis=1) >= 0).all()
        count = (x[0][..., None] >= table).sum(axis=-1)
        step, base = (node.attributes.get_float(f"out_{n}") for n in ("scale", "bias"))
        return np.asarray(count * int(step or 1) + int(base or 0))
    if node.op_type in ("ArgMax", "TopK"):
        index = np.argmax(x[0], axis=-1)
        keep = node.op_type == "TopK" or node.attributes.get_int("keepdims", 1)
        return index[..., None] if keep else index
    functions = {"MatMul": np.matmul, "Add": np.add, "Mul": np.multiply, "Sub": np.subtract}
    function = functions.get(node.op_type)
    return None if function is None else function(*x)


def assert_same_layers(original: Model, compiled: Model, frames: np.ndarray) -> int:
    """Every layer of the original, fed the compiled model's integers, gives these integers.

    Codes must be equal; the sums of a product may differ by the rounding of float32.

    Args:
        frames: `(n, *shape of the input)`, integers.

    Returns:
        How many integer values were compared.
    """
    name = original.graph.inputs[0].name or ""
    compared = 0
    origins = compiled.origins.items()
    executor = Executor(original, keep=[origin.value for _, origin in origins])
    for frame in frames:
        values = interpret(compiled, {name: frame})
        # A value that the compiled model does not need any more has no integers.
        known = {k: o for k, o in origins if k in values}
        reals = {o.value: o.real(values[k]) for k, o in known.items()}
        shapes = {o.value: original.shape(original.value(o.value)) for o in known.values()}
        reals = {k: r.reshape(shapes[k]) for k, r in reals.items()}
        seen = executor.run({name: frame}, reals)
        for key, origin in known.items():
            node = compiled.value(key).producer()
            expected = seen[origin.value].astype(np.float64)
            real = reals[origin.value].astype(np.float64)
            if node is not None and node.op_type == "MultiThreshold":
                np.testing.assert_array_equal(real, expected, err_msg=origin.value)
            else:
                worst = max(map(abs, compiled.range_of(compiled.value(key)) or (0,)))
                size = worst * np.abs(origin.scale).max() + np.abs(origin.bias).max()
                np.testing.assert_allclose(real, expected, atol=(size + 1) * 1e-5, rtol=0)
            compared += real.size
    return compared
