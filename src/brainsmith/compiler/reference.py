"""The compiled integer model, executed: the operations' NumPy references, integers throughout."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from brainsmith.api import KernelConfig
from brainsmith.compiler.answers import reference_of
from brainsmith.compiler.design import Instance, Partition
from brainsmith.room import room, smallest_type

Integers = Mapping[str, np.ndarray]
_ELEMENTS = 1 << 22  # that are computed at a time, in 64 bits each


def reference(partition: Partition, inputs: Integers) -> dict[str, np.ndarray]:
    """The values of the model that a partition computes from the given input frames.

    Frames are computed a few at a time, and what is between the parts of a layer is not kept, so
    that memory is bounded by the values themselves, each in the smallest type that holds it, and
    large ones in files.

    Args:
        partition: the instances; what the compiler inserted changes no value.
        inputs: integers of shape (frames, elements) by the name of the value.

    Returns:
        Integers of shape (frames, elements) by the name of the value, inputs included.
    """
    frames = len(next(iter(inputs.values())))
    kept: dict[str, np.ndarray] = {}
    wanted = _kept(partition)
    by_port = _values_by_port(partition)
    for start in range(0, frames, step := frames_at_once(partition)):
        given = {name: array[start : start + step] for name, array in inputs.items()}
        for layer, _, made in walk(partition, given):
            for port, array in made.items():
                name = by_port[layer.name, port]
                if name in wanted:
                    if name not in kept:
                        size = int(np.prod(array.shape[1:]))
                        kept[name] = room((frames, size), _type_of(layer, port))
                    kept[name][start : start + step] = array.reshape(len(array), -1)
    return {**inputs, **kept}


def walk(
    partition: Partition, inputs: Integers
) -> Iterator[tuple[Instance, dict[str, np.ndarray], dict[str, np.ndarray]]]:
    """Each layer with what it reads and what it computes, (frames, *dims) by port.

    A value that no later layer reads is let go of, so only a few are there at a time. They are in
    small types, or views of others.

    Args:
        partition: the instances.
        inputs: integers of shape (frames, elements) by the name of the value.
    """
    by_port = _values_by_port(partition)
    last = {
        by_port[layer.name, port]: layer.name
        for layer in partition.layers
        for port in stream_ports(layer, "in")
    }
    values = dict(inputs)
    for layer in partition.layers:
        names = {port: by_port[layer.name, port] for port in stream_ports(layer, "in")}
        given = {port: values[name] for port, name in names.items()}
        made = _computed(layer, given)
        yield layer, {port: _shaped(layer, port, array) for port, array in given.items()}, made
        for name in set(names.values()):
            if last[name] == layer.name:
                del values[name]
        for port, array in made.items():
            if by_port[layer.name, port] in last:
                values[by_port[layer.name, port]] = array


def frames_at_once(partition: Partition) -> int:
    """Frames that are computed at a time, so that what they need stays small."""
    return max(1, _ELEMENTS // max(1, sum(_size(layer) for layer in partition.layers)))


def _computed(layer: Instance, given: Integers) -> dict[str, np.ndarray]:
    """What a layer computes, (frames, *dims) by port; a large one in pieces of its outer loop.

    Args:
        layer: the instance.
        given: integers by port, in any shape.
    """
    pieces = _pieces(layer, len(next(iter(given.values()))))
    if len(pieces) == 1:
        shaped = {port: _wide(_shaped(layer, port, array)) for port, array in given.items()}
        made = reference_of(layer.operation, layer.config, shaped)
        return {port: _small(layer, port, array) for port, array in made.items()}
    results: dict[str, np.ndarray] = {}
    for piece in pieces:
        config = _first(layer, piece.stop - piece.start)
        shaped = {port: _wide(_part(layer, port, array, piece)) for port, array in given.items()}
        for port, array in reference_of(layer.operation, config, shaped).items():
            if port not in results:
                dims = layer.config.nest.port(port).dims
                shape = (len(array), *(layer.config.dims[dim] for dim in dims))
                results[port] = room(shape, _type_of(layer, port))
            results[port][:, piece] = array
    return results


def _pieces(layer: Instance, frames: int) -> Sequence[slice]:
    """Of the outermost loop; one where not all streams, or some constants, are walked by it."""
    config = layer.config
    loop = config.nest.loops[0].name
    size = config.dims[loop]
    ports = [p for p in config.nest.ports if config.has(p.name)]
    streams = [port for port in ports if config.is_stream(port.name)]
    apart = all(port.dims[:1] == (loop,) for port in streams)
    statics = any(loop in port.dims for port in ports if not config.is_stream(port.name))
    elements = frames * sum(_elements(layer, port.name) for port in streams)
    if not apart or statics or elements <= _ELEMENTS:
        return [slice(0, size)]
    step = max(1, size * _ELEMENTS // elements)
    return [slice(start, min(size, start + step)) for start in range(0, size, step)]


def _first(layer: Instance, size: int) -> KernelConfig:
    loop = layer.config.nest.loops[0].name
    return replace(layer.config, dims={**layer.config.dims, loop: size})


def _part(layer: Instance, port: str, array: np.ndarray, piece: slice) -> np.ndarray:
    """Some iterations of the outermost loop of a value in any shape, without a copy of all of it.

    A value that is a view, such as windows of an image, is as large as it looks once it is copied.
    """
    outer, *inner = (layer.config.dims[dim] for dim in layer.config.nest.port(port).dims)
    if array.ndim < 2 or outer % array.shape[1]:
        return _shaped(layer, port, array)[:, piece]
    each = outer // array.shape[1]
    first, last = piece.start // each, -(-piece.stop // each)
    rows = array[:, first:last].reshape(len(array), -1, *inner)
    return rows[:, piece.start - first * each : piece.stop - first * each]


def _wide(array: np.ndarray) -> np.ndarray:
    return array.astype(np.int64, copy=False)


def _small(layer: Instance, port: str, array: np.ndarray) -> np.ndarray:
    """In the smallest type; a view that shows the same elements several times as it is."""
    steps = zip(array.shape, array.strides, strict=True)
    extent = array.itemsize + sum((size - 1) * abs(stride) for size, stride in steps)
    if extent < array.nbytes:
        return array
    return array.astype(_type_of(layer, port), copy=False)


def _kept(partition: Partition) -> set[str]:
    """The values that are more than what is between two parts of one node.

    (Parts of one node cover the same nodes of the model.)
    """
    by_port = _values_by_port(partition)
    readers: dict[str, set[tuple[str, ...]]] = {}
    for layer in partition.layers:
        for port in stream_ports(layer, "in"):
            readers.setdefault(by_port[layer.name, port], set()).add(layer.nodes)
    leaving = {port.value for port in partition.outputs}
    made = {
        by_port[layer.name, port]: layer.nodes
        for layer in partition.layers
        for port in stream_ports(layer, "out")
    }
    return {n for n, nodes in made.items() if n in leaving or readers.get(n, set()) != {nodes}}


def _type_of(layer: Instance, port: str) -> np.dtype[Any]:
    """The smallest signed type that holds the values of a port."""
    return smallest_type(*layer.config.ranges[port])


def _size(layer: Instance) -> int:
    return sum(_elements(layer, port) for port in stream_ports(layer, "out"))


def _elements(layer: Instance, port: str) -> int:
    stream = layer.config.stream(port)
    return stream.elements * stream.beats


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
