"""What runs in a worker: components are loaded there, and their methods called on data.

The worker is confined before any of this is imported. Whatever is raised here is told to the
caller; what belongs to one answer of many (a node, a configuration) becomes a `Failure` in its
place, so that the others are not lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from brainsmith.api import KernelConfig, TransformConfig
from brainsmith.errors import BrainsmithError, PluginError
from brainsmith.model.views import NodeView
from brainsmith.plugins import failures
from brainsmith.plugins.applying import apply
from brainsmith.plugins.contracts import Info
from brainsmith.plugins.description import describe as described
from brainsmith.plugins.loading import load
from brainsmith.plugins.plugin import Component, Plugin
from brainsmith.plugins.seeds import seeded
from brainsmith.sandbox.bundle import Bundle, pack, parse, unpack

_DATA = (
    "raw_data", "float_data", "int32_data", "int64_data", "double_data", "uint64_data",
    "string_data",
)  # fmt: skip

Part = Mapping[str, Any]
"""What names a component: the plugin's name, root and package, and the manifest's entry."""


def part_of(component: Component) -> dict[str, Any]:
    """A component as data, from which a worker finds its class."""
    plugin = component.plugin
    return {
        "plugin": plugin.name,
        "version": plugin.version,
        "path": str(plugin.path),
        "package": plugin.package,
        "record": dict(component.record),
    }


def describe(part: Part) -> dict[str, Any]:
    """The description of a component's class, as data."""
    component = _component(part)
    cls, info = load(component)
    return described(cls, info, component.kind, component.full_name).as_data()


def calls(part: Part, asked: Sequence[tuple[str, tuple[Any, ...]]]) -> list[Any]:
    """What methods of an instance return for these arguments."""
    instance = _instance(part)
    found = []
    for method, arguments in asked:
        with seeded():
            found.append(getattr(instance, method)(*map(_writable, arguments)))
    return found


def costs(
    part: Part, methods: Sequence[str], batches: Sequence[Sequence[KernelConfig]]
) -> list[dict[str, list[Any]]]:
    """What cost models say: for each batch, by method, a value or a failure a configuration."""
    instance = _instance(part)
    return [
        {method: _costs(getattr(instance, method), batch) for method in methods}
        for batch in batches
    ]


def match(part: Part, bundle: Bundle) -> list[Any]:
    """What an operation says of each node of a model, in the order of the graph."""
    instance, model = _instance(part), unpack(bundle)
    views = [NodeView(model, node) for node in model.graph]
    return [_tried(partial(instance.match, view)) for view in views]


def transform(bundle: Bundle, uses: Sequence[tuple[Part, TransformConfig, str]]) -> Bundle:
    """The model after transforms, one after the other."""
    model = unpack(bundle)
    for part, config, name in uses:
        where = name if len(uses) > 1 else ""
        component = _component(part)
        cls, info = load(component)
        description = described(cls, info, component.kind, component.full_name)
        try:
            model = apply(cls, description, config, model, where)
        except BrainsmithError as error:
            if where and error.where != where:
                place = f"{where}: {error.where}" if error.where else where
                raise type(error)(error.what, where=place, hint=error.hint) from error
            raise
        except Exception as error:
            if where:
                raise PluginError(f"{type(error).__name__}: {error}", where=where) from error
            raise
    return pack(model)


def verify(bundle: Bundle) -> None:
    """Runs ONNX's checker and shape inference on a model; its large constants may be left out.

    Raises:
        PluginError: the checker refuses it.
    """
    from brainsmith.model.shapes import infer_shapes

    proto = parse(bundle)
    _without_empty(proto.graph)
    try:
        onnx.checker.check_model(proto)
    except onnx.checker.ValidationError as error:
        first = str(error).strip().partition("\n")[0]
        raise PluginError(f"ONNX's checker refuses the model: {first}") from error
    infer_shapes(unpack(bundle))


def _component(part: Part) -> Component:
    record = {"name": part["plugin"], "version": part["version"], "components": [part["record"]]}
    plugin = Plugin(record, Path(part["path"]), package=part["package"])
    return plugin.components[0]


def _instance(part: Part) -> Any:
    cls, _ = _load(part)
    return cls()


def _load(part: Part) -> tuple[type, Info]:
    return load(_component(part))


def _costs(model: Callable[[Sequence[KernelConfig]], Any], batch: Sequence[KernelConfig]) -> Any:
    """A value for each configuration; one by one where they cannot be had at once."""
    try:
        found = list(model(batch))
    except Exception as error:
        if len(batch) == 1:
            return [failures.pack(error)]
        return [value for config in batch for value in _costs(model, [config])]
    if len(found) == len(batch):
        return found
    wrong = PluginError(f"{len(found)} values for {len(batch)} configurations")
    return [failures.pack(wrong)] * len(batch)


def _tried(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except Exception as error:
        return failures.pack(error)


def _writable(argument: Any) -> Any:
    """Arrays that a method may change, as it may where it runs in the caller's process."""
    if isinstance(argument, dict) and all(isinstance(v, np.ndarray) for v in argument.values()):
        return {name: array.copy() for name, array in argument.items()}
    return argument


def _without_empty(graph: onnx.GraphProto) -> None:
    """Makes inputs of the constants that have no data, as far as they should have some."""
    kept = []
    for tensor in graph.initializer:
        data = any(getattr(tensor, name) for name in _DATA)
        if data or 0 in tensor.dims:
            kept.append(tensor)
        else:
            graph.input.append(
                onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
            )
    if len(kept) < len(graph.initializer):
        del graph.initializer[:]
        graph.initializer.extend(kept)
