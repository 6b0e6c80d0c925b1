"""What operations answer, checked: arrays of integers by port, of the shapes asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from brainsmith.api import KernelConfig
from brainsmith.errors import PluginError


def reference_of(
    operation: Any, config: KernelConfig, inputs: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """The outputs that an operation computes, (frames, *dims of the port) by port.

    Raises:
        PluginError: an output is missing, or no array of integers of this shape.
    """
    frames = len(next(iter(inputs.values())))
    found = operation.reference(config, dict(inputs))
    outputs = [p.name for p in config.nest.ports if p.direction == "out" and config.has(p.name)]
    return _arrays(found, outputs, config, "reference", frames)


def extremes_of(operation: Any, config: KernelConfig) -> dict[str, np.ndarray]:
    """The worst cases of an operation, (any number, *dims of the port) by port; {} if none.

    Raises:
        PluginError: something else than arrays of integers of these shapes.
    """
    extremes = getattr(operation, "extremes", None)
    found = extremes(config) if extremes else {}
    inputs = [p.name for p in config.nest.ports if p.direction == "in"]
    asked = [name for name in inputs if isinstance(found, Mapping) and name in found]
    return _arrays(found, asked, config, "extremes", None)


def _arrays(
    found: Any, ports: Iterable[str], config: KernelConfig, method: str, frames: int | None
) -> dict[str, np.ndarray]:
    where = f"{config.node}, method '{method}' of its operation"
    if not isinstance(found, Mapping):
        raise PluginError(f"returned {type(found).__name__}, not arrays by port", where=where)
    arrays = {}
    for port in ports:
        array = found.get(port)
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "iub":
            raise PluginError(f"returned no integers for the port '{port}'", where=where)
        dims = tuple(config.dims[dim] for dim in config.nest.port(port).dims)
        wanted = (len(array) if frames is None and array.ndim else frames, *dims)
        if array.shape != wanted:
            shape = ("frames" if frames is None else frames, *dims)
            raise PluginError(
                f"returned the shape {array.shape} for the port '{port}', not {shape}", where=where
            )
        arrays[port] = array
    return arrays


def rows_of(
    operation: Any, config: KernelConfig, start: int, count: int
) -> dict[str, tuple[int, int]]:
    """What `count` iterations of the outermost loop read, from the iteration `start` on.

    Returns:
        The first index and the size of that loop, and of each dimension that depends on it.

    Raises:
        PluginError: something else than places inside the node's dimensions.
    """
    found = operation.rows(config, start, count)
    where = f"{config.node}, method 'rows' of its operation"
    if not isinstance(found, Mapping) or config.nest.loops[0].name not in found:
        raise PluginError("returned no place of the outermost loop", where=where)
    for dim, place in found.items():
        first, size = place
        whole = config.dims.get(dim)
        if whole is None or first < 0 or size < 1 or size > whole:
            raise PluginError(f"returned {place} for '{dim}', which has {whole}", where=where)
    return {str(dim): (int(first), int(size)) for dim, (first, size) in found.items()}
