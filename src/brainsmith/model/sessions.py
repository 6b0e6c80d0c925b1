"""Sessions of ONNX Runtime, with every optimization off."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import onnx
import onnx_ir as ir

from brainsmith.errors import ModelError
from brainsmith.model.dialects import CHANNELS_LAST, QONNX

if TYPE_CHECKING:
    import onnxruntime

# ONNX Runtime computes with these, but its Python interface neither takes nor gives them.
_CARRIERS = MappingProxyType(
    {ir.DataType.INT4: ir.DataType.INT8, ir.DataType.UINT4: ir.DataType.UINT8}
)
_PACKED = MappingProxyType({"tensor(int4)": ir.DataType.INT4, "tensor(uint4)": ir.DataType.UINT4})


class Session:
    """A graph that ONNX Runtime executes.

    Arrays of 4-bit integers come and go as `ml_dtypes` has them; inside they pass through a Cast.

    Args:
        graph: the graph; it is changed.
        opsets: versions of the operator sets.
        ir_version: version of the format.
        where: which nodes it has, for errors.

    Raises:
        ModelError: ONNX Runtime refuses the graph.
    """

    def __init__(
        self, graph: onnx.GraphProto, opsets: Mapping[str, int], ir_version: int, where: str
    ) -> None:
        self._where = where
        self._carried = _unpack_inputs(graph)
        proto = onnx.helper.make_model(
            graph,
            opset_imports=[
                onnx.helper.make_opsetid(domain, version)
                for domain, version in opsets.items()
                if domain not in (QONNX, CHANNELS_LAST)
            ],
            ir_version=max(ir_version, 8),
        )
        self._session = _session(proto, where)
        types = [_PACKED.get(output.type) for output in self._session.get_outputs()]
        self._packed = {i: packed for i, packed in enumerate(types) if packed is not None}
        if self._packed:
            _unpack_outputs(proto.graph, self._packed)
            self._session = _session(proto, where)

    def run(self, feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """The outputs of the graph, in their order.

        Raises:
            ModelError: ONNX Runtime fails.
        """
        given = dict(feeds)
        for name, (inner, carrier) in self._carried.items():
            given[inner] = given.pop(name).astype(carrier.numpy())
        try:
            outputs: list[np.ndarray] = self._session.run(None, given)
        except Exception as error:
            raise ModelError(
                f"ONNX Runtime failed: {first_line(error)}", where=f"nodes {self._where}"
            ) from error
        for i, packed in self._packed.items():
            outputs[i] = outputs[i].astype(packed.numpy())
        return outputs


def first_line(error: Exception) -> str:
    """The first line of what an error says, or its class where it says nothing."""
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__


def _session(proto: onnx.ModelProto, where: str) -> onnxruntime.InferenceSession:
    # Without this, importing onnxruntime writes a device id and starts a thread.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return ort.InferenceSession(
            proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # the classes of its errors derive from Exception alone
        raise ModelError(
            f"ONNX Runtime cannot execute this part of the model: {first_line(error)}",
            where=f"nodes {where}",
            hint="check the operators, their attributes and the opset of the model",
        ) from error


def _unpack_inputs(graph: onnx.GraphProto) -> dict[str, tuple[str, ir.DataType]]:
    """Casts behind inputs of 4-bit integers; by their names, what is fed instead."""
    carried = {}
    casts = []
    for value in graph.input:
        element = ir.DataType(value.type.tensor_type.elem_type)
        if element in _CARRIERS:
            name, inner = value.name, f"{value.name} unpacked"
            carried[name] = (inner, _CARRIERS[element])
            value.name = inner
            value.type.tensor_type.elem_type = int(_CARRIERS[element])
            casts.append(onnx.helper.make_node("Cast", [inner], [name], to=int(element)))
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend([*casts, *nodes])
    return carried


def _unpack_outputs(graph: onnx.GraphProto, packed: Mapping[int, ir.DataType]) -> None:
    """Casts in front of outputs of 4-bit integers."""
    for i, element in packed.items():
        name, carrier = graph.output[i].name, int(_CARRIERS[element])
        graph.output[i].CopyFrom(onnx.ValueInfoProto(name=f"{name} unpacked"))
        graph.node.append(onnx.helper.make_node("Cast", [name], [graph.output[i].name], to=carrier))
