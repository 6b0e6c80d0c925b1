"""A model as data: the graph as a proto, large constants beside it, and what a proto cannot hold.

Large constants are neither copied into the proto nor out of it: they are views of the memory that
the model, or the message, has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from brainsmith.errors import ModelError
from brainsmith.model import valuetypes
from brainsmith.model.datatypes import IntType
from brainsmith.model.model import Model, Naming
from brainsmith.model.origin import Note, Origin
from brainsmith.model.valuetypes import graph_values

# Bytes from which a constant is kept beside the proto.
LARGE = 4096
_PLAIN = frozenset(
    {
        ir.DataType.BOOL,
        ir.DataType.DOUBLE,
        ir.DataType.FLOAT,
        ir.DataType.FLOAT16,
        *(ir.DataType[f"{sign}INT{bits}"] for sign in ("", "U") for bits in (8, 16, 32, 64)),
    }
)


@dataclass(frozen=True)
class Bundle:
    """A model on its way.

    Attributes:
        proto: bytes of the ModelProto, uint8; constants that lie beside it have no data there.
        tensors: constants of the main graph that lie beside the proto, by name.
        graphs: for each value that has a mark, the number of its graph: 0 is the main one, then
            its subgraphs in the order in which they are found.
        names: names of these values.
        datatypes: their datatypes where the proto does not tell them, else None.
        lows: the least integers that they reach, or None.
        highs: the greatest.
        origins: of the model.
        notes: of the model.
        taken: names that are taken, or None.
        suffixes: the next number to try, by what a name is made from.
    """

    proto: np.ndarray
    tensors: Mapping[str, np.ndarray] = field(default_factory=dict)
    graphs: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    datatypes: tuple[str | None, ...] = ()
    lows: tuple[int | None, ...] = ()
    highs: tuple[int | None, ...] = ()
    origins: Mapping[str, Origin] = field(default_factory=dict)
    notes: Sequence[Note] = ()
    taken: tuple[str, ...] | None = None
    suffixes: Mapping[str, int] = field(default_factory=dict)


def pack(model: Model) -> Bundle:
    """The model as data; it is not changed, and its large constants are not copied."""
    tensors: dict[str, np.ndarray] = {}
    with _hollow(model.ir, tensors):
        proto = ir.serde.serialize_model(model.ir)
    valuetypes.write_annotations(model.graph, proto.graph)
    marks = [
        (number, value.name, datatype, *limits)
        for number, graph in enumerate(_graphs(model))
        for value in graph_values(graph)
        if value.meta and value.name
        for limits in (valuetypes.get_range(value) or (None, None),)
        for datatype in (_untold(value) if number else None,)
        if datatype is not None or limits[0] is not None
    ]
    graphs, names, datatypes, lows, highs = zip(*marks, strict=True) if marks else ((),) * 5
    naming = model.naming
    return Bundle(
        np.frombuffer(proto.SerializeToString(), np.uint8), tensors,
        graphs, names, datatypes, lows, highs,
        model.origins, tuple(model.notes), naming.taken, naming.suffixes,
    )  # fmt: skip


def parse(bundle: Bundle) -> onnx.ModelProto:
    """The proto of a bundle, without the constants that lie beside it.

    Raises:
        ModelError: it is none.
    """
    proto = onnx.ModelProto()
    try:
        proto.ParseFromString(np.ascontiguousarray(bundle.proto).data)
    except DecodeError as error:
        raise ModelError("it is no ONNX model") from error
    return proto


def unpack(bundle: Bundle, proto: onnx.ModelProto | None = None) -> Model:
    """The model of a bundle, its large constants being views of the bundle's arrays.

    Args:
        proto: what `parse` made of it; parsed here if None. It must keep the rules of ONNX.

    Raises:
        ModelError: the parts of the bundle contradict each other.
    """
    try:
        graph = ir.from_proto(parse(bundle) if proto is None else proto)
    except (ir.serde.SerdeError, ValueError, KeyError) as error:
        raise ModelError(f"the graph cannot be read: {error}") from error
    model = Model(graph, bundle.origins)
    _fill(model.graph, bundle.tensors)
    for value in graph_values(model.graph):
        valuetypes.read_annotation(value)
    _mark(model, bundle)
    model.notes = list(bundle.notes)
    model.naming = Naming(bundle.taken, bundle.suffixes)
    return model


@contextmanager
def _hollow(model: ir.Model, tensors: dict[str, np.ndarray]) -> Iterator[None]:
    """While it lasts, large constants of the main graph have no data; theirs is in `tensors`.

    External constants are taken into memory in either case: a proto would only refer to a file.
    """
    kept: list[tuple[ir.Value, ir.TensorProtocol]] = []
    try:
        for number, graph in enumerate(chain([model.graph], model.graph.subgraphs())):
            for name, value in graph.initializers.items():
                tensor = value.const_value
                if tensor is None:
                    continue
                external = isinstance(tensor, ir.ExternalTensor)
                if number == 0 and (external or tensor.nbytes >= LARGE) and _is_plain(tensor):
                    tensors[name] = tensor.numpy()
                    kept.append((value, tensor))
                    value.const_value = _Hollow(
                        tensors[name], tensor.dtype, name=name,
                        doc_string=tensor.doc_string, metadata_props=dict(tensor.metadata_props),
                    )  # fmt: skip
                elif external:
                    kept.append((value, tensor))
                    value.const_value = ir.Tensor(tensor.numpy(), tensor.dtype, name=name)
        yield
    finally:
        for value, tensor in kept:
            value.const_value = tensor


def _is_plain(tensor: ir.TensorProtocol) -> bool:
    """Whether the tensor can be made anew from its array, to the byte as it would be written."""
    if tensor.dtype not in _PLAIN:
        return False
    proto = tensor.raw if isinstance(tensor, ir.TensorProtoTensor) else None
    return not isinstance(proto, onnx.TensorProto) or (
        proto.HasField("raw_data") and not proto.HasField("data_location")
    )


class _Hollow(ir.Tensor[Any]):
    """A tensor that is written without its data."""

    def tobytes(self) -> bytes:
        return b""


def _graphs(model: Model) -> Iterator[ir.Graph]:
    """The main graph, then all inside it; the same order for a model and what is read of it."""
    return chain([model.graph], model.graph.subgraphs())


def _untold(value: ir.Value) -> str | None:
    """The annotation of a value in a subgraph: protos are given those of the main graph alone."""
    datatype = valuetypes.get_annotation(value)
    return None if datatype is None else datatype.name


def _fill(graph: ir.Graph, tensors: Mapping[str, np.ndarray]) -> None:
    for name, array in tensors.items():
        value = graph.initializers.get(name)
        tensor = None if value is None else value.const_value
        if value is None or tensor is None:
            raise ModelError(f"data of the constant '{name}', which is not there")
        declared = tuple(tensor.shape.numpy())
        if tensor.dtype not in _PLAIN or tensor.dtype.numpy() != array.dtype:
            raise ModelError(f"the constant '{name}' is {tensor.dtype}, its data {array.dtype}")
        if declared != array.shape:
            raise ModelError(f"the constant '{name}' is {declared}, its data {array.shape}")
        value.const_value = ir.Tensor(
            array, tensor.dtype, name=name,
            doc_string=tensor.doc_string, metadata_props=dict(tensor.metadata_props),
        )  # fmt: skip


def _mark(model: Model, bundle: Bundle) -> None:
    columns = (bundle.graphs, bundle.names, bundle.datatypes, bundle.lows, bundle.highs)
    if len({len(column) for column in columns}) != 1:
        raise ModelError("the marks of its values are not whole")
    if not bundle.names:
        return
    values = [{value.name: value for value in graph_values(graph)} for graph in _graphs(model)]
    for number, name, datatype, lo, hi in zip(*columns, strict=True):
        value = values[number].get(name) if 0 <= number < len(values) else None
        if value is None:
            raise ModelError(f"a mark of the value '{name}', which is not there")
        if datatype is not None:
            valuetypes.put_datatype(value, IntType.parse(datatype))
        if lo is not None or hi is not None:
            _put_range(model, value, lo, hi)


def _put_range(model: Model, value: ir.Value, lo: int | None, hi: int | None) -> None:
    if lo is None or hi is None:
        raise ModelError(f"the value '{value.name}' has half a range")
    model.set_range(value, lo, hi)
