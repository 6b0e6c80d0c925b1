"""Whether the constants of a model are sound: whole, finite, and what their annotations say."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnx_ir as ir

from brainsmith.errors import ModelError
from brainsmith.model import valuetypes
from brainsmith.model.datatypes import BIPOLAR, IntType

# Here an infinite operand is a bound that is never reached, not a number to compute with.
_BOUNDED = frozenset({"Clip", "Max", "Min", "Where"})
_CHUNK = 1 << 16  # elements that stay in the processor's cache while they are looked at
# A protobuf message, in which a model goes to QONNX transforms and to plugins, holds no more.
MAX_BYTES = 2**31 - 1
_UNREADABLE = frozenset({ir.DataType.STRING, ir.DataType.COMPLEX64, ir.DataType.COMPLEX128})


def check_size(graph: ir.Graph) -> None:
    """Checks how much the constants of a graph are together; reads no data.

    Raises:
        ModelError: they are more than a model may have.
    """
    tensors = (value.const_value for value in graph.initializers.values())
    size = sum(tensor.nbytes for tensor in tensors if tensor is not None)
    if size > MAX_BYTES:
        raise ModelError(
            f"the model has {size / 1e9:.2f} GB of constants, of which {MAX_BYTES / 1e9:.2f} GB "
            "are supported",
            hint="cut out the part that the hardware shall compute (onnx.utils.extract_model)",
        )


def check_tensors(graph: ir.Graph) -> None:
    """Checks every constant of a graph and its subgraphs.

    Raises:
        ModelError: with the name of the tensor that is damaged, holds NaN or infinity, or
            contradicts its datatype annotation.
    """
    for inner in (graph, *graph.subgraphs()):
        for value in inner.initializers.values():
            if value.const_value is not None:
                _check(value, value.const_value)
        for node in inner:
            for tensor in _attributes(node):
                _check(node.outputs[0] if node.op_type == "Constant" else None, tensor)
        for value in valuetypes.graph_values(inner):
            _check_elements(value)


def _check(value: ir.Value | None, tensor: ir.TensorProtocol) -> None:
    name = (value.name if value is not None else None) or tensor.name or "without a name"
    if tensor.dtype in _UNREADABLE:
        return
    array = _read(name, tensor)
    if not tensor.dtype.is_integer() and array.dtype != np.bool_:
        _check_finite(name, array, value)
    datatype = None if value is None else valuetypes.get_annotation(value)
    if datatype is not None:
        _check_annotation(name, array, datatype)


def _read(name: str, tensor: ir.TensorProtocol) -> np.ndarray:
    try:
        array = np.asarray(tensor.numpy())
    except (ValueError, TypeError, OSError) as error:
        raise ModelError(
            f"the data of the tensor '{name}' cannot be read: {error}",
            hint="the file is damaged: export or copy it again",
        ) from error
    if array.shape != tuple(tensor.shape.numpy()):
        raise ModelError(
            f"the tensor '{name}' has {array.size} elements, not the shape {tensor.shape}",
            hint="the file is damaged: export or copy it again",
        )
    return array


def _check_finite(name: str, array: np.ndarray, value: ir.Value | None) -> None:
    if all(np.isfinite(part).all() for part in _parts(array)):
        return
    bad = array[~np.isfinite(array)]
    users = () if value is None else value.consumers()
    if users and all(node.op_type in _BOUNDED for node in users) and not np.isnan(bad).any():
        return
    kind = "NaN" if np.isnan(bad).any() else "an infinite number"
    raise ModelError(
        f"the tensor '{name}' holds {kind} ({bad.size} of {array.size} elements)",
        hint="the training diverged, or the export is broken: look at this tensor there",
    )


def _check_annotation(name: str, array: np.ndarray, datatype: IntType) -> None:
    for numbers in _parts(array):
        wrong = _outside(
            numbers if numbers.dtype.kind in "iub" else numbers.astype(float), datatype
        )
        if wrong.any():
            example = numbers[wrong][0]
            raise ModelError(
                f"the tensor '{name}' is annotated {datatype} but holds {example:g}",
                where=f"quantization annotation of '{name}'",
                hint="correct the annotation or the data",
            )


def _parts(array: np.ndarray) -> Iterator[np.ndarray]:
    flat = array.reshape(-1)
    return (flat[start : start + _CHUNK] for start in range(0, flat.size, _CHUNK))


def _outside(numbers: np.ndarray, datatype: IntType) -> np.ndarray:
    wrong: np.ndarray = numbers != np.rint(numbers)
    if datatype == BIPOLAR:
        wrong |= np.abs(numbers) != 1
    else:
        wrong |= (numbers < datatype.min) | (numbers > datatype.max)
    return wrong


def _check_elements(value: ir.Value) -> None:
    """An annotation must fit into the elements of an integer tensor."""
    annotated, elements = valuetypes.get_annotation(value), valuetypes.element_datatype(value)
    if annotated is None or elements is None:
        return
    if annotated.min < elements.min or annotated.max > elements.max:
        raise ModelError(
            f"the tensor '{value.name}' is annotated {annotated} but its elements are {elements}",
            where=f"quantization annotation of '{value.name}'",
            hint="correct the annotation",
        )


def _attributes(node: ir.Node) -> Iterator[ir.TensorProtocol]:
    for attribute in node.attributes.values():
        if attribute.type == ir.AttributeType.TENSOR and attribute.value is not None:
            yield attribute.as_tensor()
