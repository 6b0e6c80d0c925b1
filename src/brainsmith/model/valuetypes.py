"""The datatype and range of a value: kept as typed objects, written as QONNX annotations.

QONNX and FINN keep the integer datatype of a float32 tensor under the key `finn_datatype` of its
quantization annotation. In memory it is an `IntType` in the value's `meta`, which the cloning of
onnx_ir carries along.
"""

from __future__ import annotations

import re

import onnx
import onnx_ir as ir

from brainsmith.errors import ModelError
from brainsmith.model.datatypes import IntType

_KEY = "finn_datatype"
_ANNOTATION = "quant_parameter_tensor_names"
_DTYPE = "brainsmith.dtype"
_RANGE = "brainsmith.range"
_NOT_INTEGER = re.compile(r"(FLOAT|FIXED|SCALEDINT)[0-9]*(<[^>]*>)?\Z")

_ELEMENTS = {
    ir.DataType.BOOL: IntType(1),
    ir.DataType.UINT2: IntType(2),
    ir.DataType.INT2: IntType(2, signed=True),
    ir.DataType.UINT4: IntType(4),
    ir.DataType.INT4: IntType(4, signed=True),
    ir.DataType.UINT8: IntType(8),
    ir.DataType.INT8: IntType(8, signed=True),
    ir.DataType.UINT16: IntType(16),
    ir.DataType.INT16: IntType(16, signed=True),
    ir.DataType.UINT32: IntType(32),
    ir.DataType.INT32: IntType(32, signed=True),
    ir.DataType.UINT64: IntType(64),
    ir.DataType.INT64: IntType(64, signed=True),
}


def get_datatype(value: ir.Value) -> IntType | None:
    """The annotated integer datatype, else that of an integer tensor; None for a float."""
    return get_annotation(value) or element_datatype(value)


def get_annotation(value: ir.Value) -> IntType | None:
    """The annotated integer datatype."""
    # Most values carry nothing, and looking a key up in vain is slow.
    annotated: IntType | None = value.meta.get(_DTYPE) if value.meta else None
    return annotated


def element_datatype(value: ir.Value) -> IntType | None:
    """The datatype of an integer tensor's elements; None for floats and unknown types."""
    return None if value.dtype is None else _ELEMENTS.get(value.dtype)


def put_datatype(value: ir.Value, datatype: IntType | None) -> None:
    """Annotates the value; forgets its range, which belonged to the old datatype."""
    value.meta.pop(_RANGE, None)
    if datatype is None:
        value.meta.pop(_DTYPE, None)
    else:
        value.meta[_DTYPE] = datatype


def get_range(value: ir.Value) -> tuple[int, int] | None:
    """The range that was put on the value, or None."""
    limits: tuple[int, int] | None = value.meta.get(_RANGE)
    return limits


def put_range(value: ir.Value, lo: int, hi: int) -> None:
    """Says that the value reaches only [lo, hi]."""
    value.meta[_RANGE] = (lo, hi)


def read_annotation(value: ir.Value) -> None:
    """Turns the `finn_datatype` that onnx_ir left as text in `meta` into a typed object.

    Names that are no integers (FLOAT32, FIXED<8,4>, SCALEDINT<8>) stay as text.

    Raises:
        ModelError: a datatype that does not exist, with the name of the tensor.
    """
    text: dict[str, str] = value.meta.get(_ANNOTATION, {}) if value.meta else {}
    name = text.get(_KEY)
    if name is None or _NOT_INTEGER.match(name):
        return
    rest = {key: entry for key, entry in text.items() if key != _KEY}
    if rest:
        value.meta[_ANNOTATION] = rest
    else:
        value.meta.pop(_ANNOTATION)
    try:
        value.meta[_DTYPE] = IntType.parse(name)
    except ModelError as error:
        raise ModelError(
            f"the tensor '{value.name}' has the unknown datatype '{name}'",
            where=f"quantization annotation of '{value.name}'",
            hint=error.hint,
        ) from None


def write_annotations(graph: ir.Graph, proto: onnx.GraphProto) -> None:
    """Adds the datatypes of all values of `graph` to its serialized form."""
    written = {entry.tensor_name: entry for entry in proto.quantization_annotation}
    for value in graph_values(graph):
        datatype = value.meta.get(_DTYPE)
        if datatype is None or not value.name:
            continue
        entry = written.get(value.name)
        if entry is None:
            entry = proto.quantization_annotation.add(tensor_name=value.name)
            written[value.name] = entry
        pairs = [p for p in entry.quant_parameter_tensor_names if p.key == _KEY]
        pair = pairs[0] if pairs else entry.quant_parameter_tensor_names.add(key=_KEY)
        pair.value = datatype.name


def graph_values(graph: ir.Graph) -> list[ir.Value]:
    """All values of the graph, each once: inputs, initializers, outputs of nodes."""
    values: dict[ir.Value, None] = dict.fromkeys(graph.inputs)
    values.update(dict.fromkeys(graph.initializers.values()))
    for node in graph:
        values.update(dict.fromkeys(node.outputs))
    return list(values)
