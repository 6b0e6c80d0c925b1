"""Reading and writing model files, and turning a proto into a graph that keeps the rules."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import onnx
import onnx_ir as ir
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from brainsmith.errors import ModelError, StorageError
from brainsmith.model import valuetypes
from brainsmith.model.dialects import ALIASES


def read(path: Path) -> onnx.ModelProto:
    """The proto in a file; external data stays on the disk.

    Raises:
        ModelError: no such file, a directory, or not an ONNX model.
    """
    if path.is_dir():
        raise ModelError(f"'{path}' is a directory", hint="give the .onnx file in it")
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise ModelError(f"there is no file '{path}'", hint="check the path") from None
    except OSError as error:
        raise ModelError(f"'{path}' cannot be read: {error.strerror}") from None
    return _parse(data, path)


def _parse(data: bytes, path: Path) -> onnx.ModelProto:
    proto = onnx.ModelProto()
    hint = "the file is damaged or was cut short, or it is no ONNX model: export or copy it again"
    try:
        proto.ParseFromString(data)
    except DecodeError:
        raise ModelError(f"'{path}' is not a whole ONNX file", hint=hint) from None
    if not proto.ir_version or not proto.HasField("graph"):
        raise ModelError(f"'{path}' holds no ONNX graph", hint=hint)
    return proto


def ingest(
    proto: onnx.ModelProto, folder: Path | None, shapes: Mapping[str, Sequence[int]]
) -> ir.Model:
    """The graph of a proto, checked; `folder` holds its external data.

    Raises:
        ModelError: the model breaks a rule.
    """
    model = ir.from_proto(proto)
    canonize(model)
    # Files older than IR version 4 list their constants among the inputs.
    model.graph.inputs[:] = [v for v in model.graph.inputs if not v.is_initializer()]
    for value in valuetypes.graph_values(model.graph):
        valuetypes.read_annotation(value)
    return model


def canonize(model: ir.Model) -> None:
    """Gives each domain its one name, and each used domain a version.

    Raises:
        ModelError: two names of a domain come with different versions.
    """
    versions: dict[str, int] = {}
    for domain, version in model.opset_imports.items():
        name = ALIASES.get(domain, domain)
        if versions.setdefault(name, version) != version:
            raise ModelError(
                f"the model uses two versions of '{name}': {versions[name]} and {version}",
                hint="export the model with one version of each operator set",
            )
    for node in model.graph.all_nodes():
        node.domain = ALIASES.get(node.domain, node.domain)
        if node.domain:
            versions.setdefault(node.domain, 1)  # FINN writes no version of its operators
    model.opset_imports.clear()
    model.opset_imports.update(versions)


def write(proto: onnx.ModelProto, path: Path) -> None:
    """Writes a proto to a temporary name beside `path`, then renames it.

    Raises:
        StorageError: the disk is full, or the folder is missing or closed to us.
    """
    temporary = None
    try:
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            temporary = Path(file.name)
            file.write(proto.SerializeToString(deterministic=True))
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink()
        raise StorageError(
            f"the model cannot be written to '{path}': {error.strerror}",
            hint="check the folder and the free space",
        ) from None
