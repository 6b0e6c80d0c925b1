"""How much of a node is simulated: all of it, or fewer iterations of its outer loops.

A slice is a legal configuration at the same folding. Only loops that walk through every output are
cut: of what is left each result is one that the whole node computes, so that all ranges hold. A
port with dimensions of its own, such as the image under a window, is cut as its operation says.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from brainsmith.api import KernelConfig
from brainsmith.api.loops import divisors
from brainsmith.compiler.answers import extremes_of, rows_of

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
    for name in _cut(operation, config):
        unroll = config.nest.unroll(name, config.folding)
        least = first_iterations(operation, least, name, unroll)
    frames = _frames(operation, least)
    found = config
    for name in _cut(operation, config):
        if _fits(found, frames, bounds):
            break
        unroll = config.nest.unroll(name, config.folding)
        trips = sorted(divisors(config.dims[name] // unroll), reverse=True)
        sizes = (first_iterations(operation, found, name, unroll * trip) for trip in trips)
        found = next(
            (one for one in sizes if _fits(one, frames, bounds)),
            first_iterations(operation, found, name, unroll),
        )
    return found


def first_iterations(operation: Any, config: KernelConfig, loop: str, size: int) -> KernelConfig:
    """A configuration with the first `size` iterations of a loop, or few more if it needs them."""
    if size == config.dims[loop]:
        return config
    if config.nest.own_dims and not _everywhere(config, loop):
        places = rows_of(operation, config, 0, size)
        return replace(config, dims={**config.dims, **{dim: n for dim, (_, n) in places.items()}})
    return with_size(config, loop, size)


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
    return _pieces(config, frames, {})


def spread_frames(
    operation: Any,
    whole: KernelConfig,
    part: KernelConfig,
    frames: Mapping[str, np.ndarray],
    count: int,
) -> dict[str, np.ndarray]:
    """`count` frames of a slice, from places of the whole node's frames that lie far apart.

    Args:
        operation: the node's.
        whole: its configuration.
        part: that of the slice.
        frames: (any number, *dims of the port) by port of the whole node.
        count: how many frames the slice gets: the whole frames in turn, each at another place.
    """
    given = len(next(iter(frames.values())))
    places = _places(operation, whole, part)
    found = []
    for index in range(count):
        turn = index * len(places) // count if len(places) > count else index % len(places)
        frame = {port: array[index % given][None] for port, array in frames.items()}
        found.append(_pieces(part, frame, places[turn]))
    return {port: np.concatenate([piece[port] for piece in found]) for port in frames}


def places_in(whole: KernelConfig, part: KernelConfig) -> int:
    """How many slices of the loop that is cut first make up the whole node."""
    loop = _first_cut(whole, part)
    return 1 if loop is None else max(1, whole.dims[loop] // part.dims[loop])


def _first_cut(whole: KernelConfig, part: KernelConfig) -> str | None:
    loops = (loop.name for loop in whole.nest.loops)
    return next((name for name in loops if whole.dims[name] != part.dims[name]), None)


def _places(operation: Any, whole: KernelConfig, part: KernelConfig) -> Sequence[Mapping[str, int]]:
    """The first index in each dimension, of the slices one after another.

    The first slice alone where the loop that is cut walks through constants: these are cut too.
    """
    loop = _first_cut(whole, part)
    statics = [whole.nest.port(name).dims for name in whole.statics if _is_port(whole, name)]
    if loop is None or any(loop in dims for dims in statics):
        return [{}]
    starts = range(0, whole.dims[loop] - part.dims[loop] + 1, part.dims[loop])
    if not whole.nest.own_dims or _everywhere(whole, loop):
        return [{loop: start} for start in starts]
    rows = (rows_of(operation, whole, start, part.dims[loop]) for start in starts)
    return [{dim: first for dim, (first, _) in places.items()} for places in rows]


def _is_port(config: KernelConfig, name: str) -> bool:
    return any(port.name == name for port in config.nest.ports)


def _pieces(
    config: KernelConfig, frames: Mapping[str, np.ndarray], first: Mapping[str, int]
) -> dict[str, np.ndarray]:
    return {
        port: array[
            (
                slice(None),
                *(
                    slice(first.get(dim, 0), first.get(dim, 0) + config.dims[dim])
                    for dim in config.nest.port(port).dims
                ),
            )
        ]
        for port, array in frames.items()
    }


def _cut(operation: Any, config: KernelConfig) -> list[str]:
    """The loops that may be cut: those that walk through every output.

    Where a port has dimensions of its own, only those that walk through all streams, and the
    outermost one if the operation tells what its iterations read.
    """
    outputs = [set(port.dims) for port in config.nest.ports if port.direction == "out"]
    own = {port.dims[-1] for port in config.nest.ports if port.fold}
    loops = [loop.name for loop in config.nest.loops]
    found = [name for name in loops if name not in own and all(name in dims for dims in outputs)]
    if not config.nest.own_dims:
        return found
    tells = getattr(operation, "rows", None) is not None
    return [name for name in found if (tells and name == loops[0]) or _everywhere(config, name)]


def _everywhere(config: KernelConfig, loop: str) -> bool:
    """Whether a loop is the first to walk through every stream."""
    streams = [port for port in config.nest.ports if config.is_stream(port.name)]
    return all(port.dims[:1] == (loop,) for port in streams)


def _frames(operation: Any, config: KernelConfig) -> int:
    worst = extremes_of(operation, config)
    rows = max((len(array) for array in worst.values()), default=0)
    return max(_STEADY_FRAMES + 1, rows + _OTHERS)


def _fits(config: KernelConfig, frames: int, bounds: Bounds) -> bool:
    streams = [port for port in config.nest.ports if config.is_stream(port.name)]
    elements = sum(math.prod(config.dims[dim] for dim in port.dims) for port in streams)
    return frames * config.cycles <= bounds.cycles and 8 * frames * elements <= bounds.bytes
