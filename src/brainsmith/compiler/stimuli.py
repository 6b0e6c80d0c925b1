"""Inputs for verification: the worst cases of the operation, the ends of the range, random."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from brainsmith.api import IntType, KernelConfig
from brainsmith.compiler.answers import extremes_of, reference_of


def random_integers(
    rng: np.random.Generator, shape: tuple[int, ...], dtype: IntType, lo: int, hi: int
) -> np.ndarray:
    """Integers of a datatype, uniform in [lo, hi], int64."""
    if dtype.bipolar:
        return rng.integers(0, 2, shape, dtype=np.int64) * 2 - 1
    return rng.integers(lo, hi, shape, dtype=np.int64, endpoint=True)


def stimuli(
    operation: Any, config: KernelConfig, rng: np.random.Generator, frames: int
) -> dict[str, np.ndarray]:
    """Input frames for one instance: the operation's extremes first, then both ends of the
    range, then random frames up to at least `frames`. Arrays are (frames, *dims of the port)."""
    ports = [p for p in config.nest.ports if p.direction == "in" and config.is_stream(p.name)]
    shapes = {p.name: tuple(config.dims[d] for d in p.dims) for p in ports}
    ranges = {p.name: config.ranges[p.name] for p in ports}
    worst = extremes_of(operation, config)
    rows = max((len(array) for array in worst.values()), default=0)
    count = max(frames, rows + 4)
    result = {}
    for name, shape in shapes.items():
        lo, hi = ranges[name]
        array = random_integers(rng, (count, *shape), config.dtypes[name], lo, hi)
        if name in worst:
            array[:rows] = worst[name]
        array[rows], array[rows + 1] = lo, hi
        result[name] = array
    return result


def only_reachable(
    operation: Any,
    config: KernelConfig,
    inputs: Mapping[str, np.ndarray],
    network: Mapping[str, np.ndarray],
) -> dict[str, np.ndarray]:
    """The frames, with others for those whose results lie outside of the outputs' ranges.

    Ranges are known channel by channel, and outputs are as wide as these need, while a port's
    range is that of its widest channel: where all channels reach its ends at once, the results
    may be ones that no input of the network leads to.

    Args:
        operation: the operation.
        config: of the layer.
        inputs: (frames, *dims) by port.
        network: frames that the network leads to, (any number, *dims) by port.
    """
    outputs = reference_of(operation, config, inputs)
    count = len(next(iter(outputs.values())))
    inside = np.ones(count, bool)
    for port, array in outputs.items():
        lo, hi = config.ranges[port]
        rows = array.reshape(count, -1)
        inside &= ((rows >= lo) & (rows <= hi)).all(axis=1)
    outside = np.flatnonzero(~inside)
    result = {port: array.copy() for port, array in inputs.items()}
    for port, array in result.items():
        array[outside] = network[port][np.arange(len(outside)) % len(network[port])]
    return result
