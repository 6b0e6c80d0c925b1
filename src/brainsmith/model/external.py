"""External data: tensors in files beside the model, which must not be any other files."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import onnx
import onnx_ir as ir

from brainsmith.errors import ModelError


def check_external(graph: onnx.GraphProto, folder: Path | None) -> None:
    """Checks every external tensor of a graph and its subgraphs; reads no data.

    Args:
        graph: the graph.
        folder: the folder of the model, which holds the files; None where there is none.

    Raises:
        ModelError: a file is missing or too short, or lies outside the folder, be it through
            `..`, an absolute path or a symbolic link.
    """
    for tensor in _tensors(graph):
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            _check(tensor, folder)


def _check(tensor: onnx.TensorProto, folder: Path | None) -> None:
    where = f"tensor '{tensor.name}'"
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location = entries.get("location", "")
    if not location:
        raise ModelError("an external tensor does not say where its data is", where=where)
    if folder is None:
        raise ModelError(
            f"the data is in the file '{location}', but the model has no folder",
            where=where,
            hint="load the model from its file",
        )
    base = folder.resolve()
    path = (base / location).resolve()
    if PurePosixPath(location).is_absolute() or not path.is_relative_to(base):
        raise ModelError(
            f"the external data '{location}' lies outside the folder of the model",
            where=where,
            hint=f"put it into '{folder}' and refer to it by its name",
        )
    if not path.is_file():
        raise ModelError(
            f"the file '{location}' with external data is missing",
            where=where,
            hint=f"copy it into '{folder}'",
        )
    needed = _offset(entries, where) + _bytes(tensor)
    if path.stat().st_size < needed:
        raise ModelError(
            f"the file '{location}' has {path.stat().st_size} bytes, {needed} are needed",
            where=where,
            hint="copy it again: it was cut short",
        )


def _offset(entries: dict[str, str], where: str) -> int:
    text = entries.get("offset", "0")
    if not text.isdecimal():
        raise ModelError(f"the external data has the offset '{text}'", where=where)
    return int(text)


def _bytes(tensor: onnx.TensorProto) -> int:
    bits: int = math.prod(tensor.dims) * ir.DataType(tensor.data_type).bitwidth
    return (bits + 7) // 8


def _tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
            if attribute.HasField("g"):
                yield from _tensors(attribute.g)
            for subgraph in attribute.graphs:
                yield from _tensors(subgraph)
