"""The compiled integer model, executed: the operations' NumPy references, integers throughout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from brainsmith.compiler.answers import reference_of
from brainsmith.compiler.design import Instance, Partition

Integers = Mapping[str, np.ndarray]
_ELEMENTS = 1 << 22  # that are computed at a time, in 64 bits each


def reference(partition: Partition, inputs: Integers) -> dict[str, np.ndarray]:
    """The values of the model that a partition computes from the given input frames.

    Frames are computed a few at a time, and what is between the parts of a layer is not kept, so
    that memory is bounded by the values themselves, each in the smallest type that holds it.

    Args:
        partition: the instances; what the compiler inserted changes no value.
        inputs: integers of shape (frames, elements) by the name of the value.

    Returns:
        Integers of shape (frames, elements) by the name of the value, inputs included.
    """
    kept = _kept(partition)
    frames = len(next(iter(inputs.values())))
    step = _at_once(partition)
    parts: list[dict[str, np.ndarray]] = []
    for start in range(0, frames, step):
        given = {name: array[start : start + step] for name, array in inputs.items()}
        found = _computed(partition, given)
        parts.append({name: found[name].astype(kind) for name, kind in kept.items()})
    return {**inputs, **{name: np.concatenate([part[name] for part in parts]) for name in kept}}


def layer_inputs(partition: Partition, values: Integers) -> dict[str, dict[str, np.ndarray]]:
    """What each layer of a partition reads, by its name and port, (frames, *dims of the port).

    Of the first frames alone, as many as memory allows.

    Args:
        partition: the instances.
        values: of the whole model, as `reference` returns them, in any shape.
    """
    frames = _at_once(partition)
    given = {port.value: values[port.value][:frames] for port in partition.inputs}
    flat = {name: array.reshape(len(array), -1) for name, array in given.items()}
    found = _computed(partition, flat)
    by_port = _values_by_port(partition)
    return {
        layer.name: {
            port: _shaped(layer, port, found[by_port[layer.name, port]])
            for port in stream_ports(layer, "in")
        }
        for layer in partition.layers
    }


def _at_once(partition: Partition) -> int:
    """Frames that are computed at a time, so that what they need stays small."""
    return max(1, _ELEMENTS // max(1, sum(_size(layer) for layer in partition.layers)))


def _computed(partition: Partition, inputs: Integers) -> dict[str, np.ndarray]:
    """Every value, what is between the parts of a layer too, int64 (frames, elements)."""
    values = {name: array.astype(np.int64) for name, array in inputs.items()}
    by_port = _values_by_port(partition)
    for layer in partition.layers:
        given = {
            port: _shaped(layer, port, values[by_port[layer.name, port]])
            for port in stream_ports(layer, "in")
        }
        result = reference_of(layer.operation, layer.config, given)
        for port in stream_ports(layer, "out"):
            array = result[port]
            values[by_port[layer.name, port]] = array.reshape(len(array), -1)
    return values


def _kept(partition: Partition) -> dict[str, np.dtype[Any]]:
    """The values that are more than what is between two parts of one node, with the type of each.

    (Parts of one node cover the same nodes of the model.)
    """
    by_port = _values_by_port(partition)
    readers: dict[str, set[tuple[str, ...]]] = {}
    for layer in partition.layers:
        for port in stream_ports(layer, "in"):
            readers.setdefault(by_port[layer.name, port], set()).add(layer.nodes)
    leaving = {port.value for port in partition.outputs}
    kept = {}
    for layer in partition.layers:
        for port in stream_ports(layer, "out"):
            value = by_port[layer.name, port]
            if value in leaving or readers.get(value, set()) != {layer.nodes}:
                kept[value] = _type_for(*layer.config.ranges[port])
    return kept


def _type_for(lo: int, hi: int) -> np.dtype[Any]:
    """The smallest signed type that holds both."""
    kinds = (np.dtype(name) for name in ("int8", "int16", "int32"))
    fits = (kind for kind in kinds if np.iinfo(kind).min <= lo and hi <= np.iinfo(kind).max)
    return next(fits, np.dtype("int64"))


def _size(layer: Instance) -> int:
    config = layer.config
    streams = (config.stream(port) for port in stream_ports(layer, "out"))
    return sum(stream.elements * stream.beats for stream in streams)


def _values_by_port(partition: Partition) -> dict[tuple[str, str], str]:
    carried = {edge.sink: edge.value for edge in partition.edges}
    carried |= {edge.source: edge.value for edge in partition.edges}
    return {(end.instance, end.port): value for end, value in carried.items()}


def stream_ports(instance: Instance, direction: str) -> list[str]:
    """The names of an instance's stream ports of one direction."""
    config = instance.config
    return [
        port.name
        for port in config.nest.ports
        if port.direction == direction and config.is_stream(port.name)
    ]


def _shaped(layer: Instance, port: str, array: np.ndarray) -> np.ndarray:
    dims = layer.config.nest.port(port).dims
    return array.reshape(len(array), *(layer.config.dims[dim] for dim in dims))
