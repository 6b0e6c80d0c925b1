"""How much of a node is simulated: all of it, or fewer iterations of its outer loops.

A slice is a legal configuration at the same folding. Only loops that walk through every output are
cut: of what is left each result is one that the whole node computes, so that all ranges hold.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from brainsmith.api import KernelConfig
from brainsmith.api.loops import divisors
from brainsmith.compiler.answers import extremes_of

MOST_CYCLES = 2_000_000
MOST_BYTES = 256 << 20
_STEADY_FRAMES = 8
# Frames besides the operation's extremes: both ends of the range and two random ones.
_OTHERS = 4


@dataclass(frozen=True)
class Bounds:
    """What the simulation of one node may take: cycles of all its frames, bytes of its streams."""

    cycles: int = MOST_CYCLES
    bytes: int = MOST_BYTES


def slice_of(operation: Any, config: KernelConfig, bounds: Bounds) -> KernelConfig:
    """The configuration that is simulated: the given one if it is inside the bounds.

    Otherwise its loops are cut, outermost first, each no further than needed. A node whose least
    slice is still too large is simulated at that.
    """
    least = config
    for name in _cut(config):
        least = with_size(least, name, config.nest.unroll(name, config.folding))
    frames = _frames(operation, least)
    found = config
    for name in _cut(config):
        if _fits(found, frames, bounds):
            break
        unroll = config.nest.unroll(name, config.folding)
        trips = sorted(divisors(config.dims[name] // unroll), reverse=True)
        sizes = (with_size(found, name, unroll * trip) for trip in trips)
        found = next(
            (one for one in sizes if _fits(one, frames, bounds)), with_size(found, name, unroll)
        )
    return found


def with_size(config: KernelConfig, loop: str, size: int) -> KernelConfig:
    """A configuration with the first `size` iterations of a loop, constants cut to fit."""
    if size == config.dims[loop]:
        return config
    walked = {port.name: port.dims for port in config.nest.ports}
    statics = {
        name: _cut_array(array, walked.get(name, ()), loop, size)
        for name, array in config.statics.items()
    }
    return replace(config, dims={**config.dims, loop: size}, statics=statics)


def _cut_array(array: np.ndarray, dims: Sequence[str], loop: str, size: int) -> np.ndarray:
    """A constant for the first iterations of a loop; an axis of one element is for all of them."""
    return array[
        tuple(
            slice(size) if dim == loop and array.shape[axis] > 1 else slice(None)
            for axis, dim in enumerate(dims[max(0, len(dims) - array.ndim) :])
        )
    ]


def cut_frames(config: KernelConfig, frames: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Frames of a whole node, (frames, *dims of the port) by port, as its slice reads them."""
    return {
        port: array[
            (slice(None), *(slice(config.dims[dim]) for dim in config.nest.port(port).dims))
        ]
        for port, array in frames.items()
    }


def _cut(config: KernelConfig) -> list[str]:
    """The loops that may be cut: those that walk through every output.

    None where a port has dimensions of its own, which depend on the loops in a way of their own.
    """
    if config.nest.own_dims:
        return []
    outputs = [set(port.dims) for port in config.nest.ports if port.direction == "out"]
    own = {port.dims[-1] for port in config.nest.ports if port.fold}
    loops = [loop.name for loop in config.nest.loops]
    return [name for name in loops if name not in own and all(name in dims for dims in outputs)]


def _frames(operation: Any, config: KernelConfig) -> int:
    worst = extremes_of(operation, config)
    rows = max((len(array) for array in worst.values()), default=0)
    return max(_STEADY_FRAMES + 1, rows + _OTHERS)


def _fits(config: KernelConfig, frames: int, bounds: Bounds) -> bool:
    streams = [port for port in config.nest.ports if config.is_stream(port.name)]
    elements = sum(math.prod(config.dims[dim] for dim in port.dims) for port in streams)
    return frames * config.cycles <= bounds.cycles and 8 * frames * elements <= bounds.bytes
