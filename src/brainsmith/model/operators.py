"""One node as a function of its operands, whatever their leading dimension."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir

from brainsmith.model.constants import array_of
from brainsmith.model.dialects import CHANNELS_LAST, is_qonnx
from brainsmith.model.runners import Arrays, execute_qonnx
from brainsmith.model.sessions import Session

Operands = Sequence[np.ndarray | None]


class Operator:
    """A node, detached from its graph. Nodes that differ in names alone share a session.

    Args:
        node: the node; only its first output is computed.
        model: the model that it belongs to, for the opsets.
    """

    def __init__(self, node: ir.Node, model: ir.Model) -> None:
        self._where = node.name or node.op_type
        self._proto = ir.serde.serialize_node(node)
        self._proto.name = ""
        self._proto.ClearField("metadata_props")
        names = [f"i{i}" if value is not None else "" for i, value in enumerate(node.inputs)]
        self._proto.input[:] = names
        self._proto.output[:] = ["y", *(f"y{i}" for i in range(1, len(node.outputs)))]
        self._last = node.domain == CHANNELS_LAST
        if self._last:  # the standard operator between two transposes
            self._proto.domain = ""
        self._opset = model.opset_imports.get(self._proto.domain, 1)
        self._ir_version = model.ir_version
        self._qonnx: Any = None
        if is_qonnx(node) and not self._last:
            from qonnx.custom_op.registry import getCustomOp

            self._qonnx = getCustomOp(self._proto, onnx_opset_version=self._opset)
        self._key = self._proto.SerializeToString(deterministic=True)

    def __call__(self, operands: Operands) -> np.ndarray:
        """The node's first output for these operands (None: an operand that is left out).

        Raises:
            ModelError: the node cannot be executed.
        """
        if self._last:
            return self._channels_last(operands)
        return self._run(operands)

    def _channels_last(self, operands: Operands) -> np.ndarray:
        """The image, and the weights of a Conv, have their channels last, and so has the result."""
        turned = 2 if self._proto.op_type == "Conv" else 1
        y = self._run(
            [
                a if a is None or i >= turned else np.ascontiguousarray(np.moveaxis(a, -1, 1))
                for i, a in enumerate(operands)
            ]
        )
        return np.ascontiguousarray(np.moveaxis(y, 1, -1))

    def _run(self, operands: Operands) -> np.ndarray:
        feeds = {f"i{i}": array for i, array in enumerate(operands) if array is not None}
        if self._qonnx is not None:
            execute_qonnx(self._qonnx, feeds, self._where)
            return np.asarray(feeds["y"])
        types = tuple((name, int(_element(array)), array.ndim) for name, array in feeds.items())
        session = _session(self._key, self._proto.domain, self._opset, self._ir_version, types)
        return session.run(feeds)[0]


class OperatorRunner:
    """Executes one node with one output through its `Operator`."""

    def __init__(self, node: ir.Node, model: ir.Model) -> None:
        self._operator = Operator(node, model)
        self._reads = [None if v is None else (v.name or "", array_of(v)) for v in node.inputs]
        self._write = node.outputs[0].name or ""

    def run(self, values: Mapping[str, np.ndarray]) -> Arrays:
        operands = [
            None if read is None else values[read[0]] if read[1] is None else read[1]
            for read in self._reads
        ]
        return {self._write: self._operator(operands)}


def _element(array: np.ndarray) -> ir.DataType:
    return ir.DataType.from_numpy(array.dtype)


@functools.lru_cache(maxsize=512)
def _session(
    node: bytes, domain: str, opset: int, ir_version: int, types: tuple[tuple[str, int, int], ...]
) -> Session:
    proto = onnx.NodeProto.FromString(node)
    graph = onnx.GraphProto(name="node", node=[proto])
    for name, element, rank in types:
        info = onnx.helper.make_tensor_value_info(name, element, [None] * rank)
        graph.input.append(info)
    graph.output.add(name="y")
    return Session(graph, {domain: opset}, ir_version, proto.op_type)
