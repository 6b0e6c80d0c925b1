"""The compiled integer model, executed: the operations' NumPy references, integers throughout."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from brainsmith.compiler.answers import reference_of
from brainsmith.compiler.design import Instance, Partition

Integers = Mapping[str, np.ndarray]


def reference(partition: Partition, inputs: Integers) -> dict[str, np.ndarray]:
    """All values of a partition for the given input frames.

    Args:
        partition: the instances; what the compiler inserted changes no value.
        inputs: int64 of shape (frames, elements) by the name of the value.

    Returns:
        int64 of shape (frames, elements) by the name of the value, inputs included.
    """
    values = dict(inputs)
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


def layer_inputs(partition: Partition, values: Integers) -> dict[str, dict[str, np.ndarray]]:
    """What each layer of a partition reads, by its name and port, (frames, *dims of the port).

    Args:
        partition: the instances.
        values: of the whole model, as `reference` returns them, in any shape.
    """
    by_port = _values_by_port(partition)
    return {
        layer.name: {
            port: _shaped(layer, port, values[by_port[layer.name, port]].astype(np.int64))
            for port in stream_ports(layer, "in")
        }
        for layer in partition.layers
    }


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
