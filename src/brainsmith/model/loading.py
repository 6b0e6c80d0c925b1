"""Reading and writing model files, and turning a proto into a graph that keeps the rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import onnx
import onnx.inliner
import onnx_ir as ir
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from brainsmith.errors import ModelError
from brainsmith.model import external, inputs, structure, tensors, valuetypes
from brainsmith.model.dialects import ALIASES
from brainsmith.storage import write_atomic


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
    structure.check_versions(proto)
    proto = _inlined(proto)
    in_order = structure.check_graph(proto.graph)
    external.check_external(proto.graph, folder)
    try:
        model = ir.from_proto(proto)
    except (ir.serde.SerdeError, ValueError) as error:
        raise ModelError(f"the graph cannot be read: {error}") from error
    if folder is not None:
        ir.external_data.set_base_dir(model.graph, folder.resolve())
        _load_attributes(model.graph)
    if not in_order:
        structure.sort(model.graph)
    canonize(model)
    # Files older than IR version 4 list their constants among the inputs.
    model.graph.inputs[:] = [v for v in model.graph.inputs if not v.is_initializer()]
    model.ir_version = max(model.ir_version, 4)
    inputs.fix_inputs(model.graph, shapes)
    for value in valuetypes.graph_values(model.graph):
        valuetypes.read_annotation(value)
    tensors.check_size(model.graph)
    tensors.check_tensors(model.graph)
    return model


def _inlined(proto: onnx.ModelProto) -> onnx.ModelProto:
    """The model with the bodies of its own functions in place of the calls."""
    if not proto.functions:
        return proto
    try:
        return onnx.inliner.inline_local_functions(proto)
    except Exception as error:  # errors of the C++ library, of many types
        raise ModelError(f"the functions of the model cannot be inlined: {error}") from error


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


def with_data(model: ir.Model) -> ir.Model:
    """The model itself, or a clone with its external initializers in memory if it has any."""
    if not any(_external(value) for graph in model.graphs() for value in _constants(graph)):
        return model
    clone = model.clone()
    for graph in clone.graphs():
        for value in _constants(graph):
            tensor = value.const_value
            if tensor is not None and _external(value):
                value.const_value = ir.Tensor(tensor.numpy(), tensor.dtype, name=value.name)
    return clone


def _external(value: ir.Value) -> bool:
    return isinstance(value.const_value, ir.ExternalTensor)


def _constants(graph: ir.Graph) -> Iterable[ir.Value]:
    return graph.initializers.values()


def _load_attributes(graph: ir.Graph) -> None:
    """Takes external tensors in attributes into memory: onnx_ir would write them as references."""
    for node in graph.all_nodes():
        for name, attribute in list(node.attributes.items()):
            if attribute.type == ir.AttributeType.TENSOR and attribute.value is not None:
                tensor = attribute.as_tensor()
                if isinstance(tensor, ir.ExternalTensor):
                    inside = ir.Tensor(tensor.numpy(), tensor.dtype, name=tensor.name)
                    node.attributes[name] = ir.AttrTensor(name, inside)


def write(proto: onnx.ModelProto, path: Path) -> None:
    """Writes a proto to `path`, whole or not at all.

    Raises:
        StorageError: the disk is full, or the folder is missing or closed to us.
    """
    write_atomic(path, proto.SerializeToString(deterministic=True))
