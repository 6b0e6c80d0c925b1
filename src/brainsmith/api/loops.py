"""Ports and loops: what an operation declares, and what follows from it for a folding.

An operation is a nest of loops, outermost first. Its ports say which loops walk through their
tensor. From that and a folding follow, for every kernel alike, the elements per beat, the beats
per frame, the ideal cycles and the legal values of PE and SIMD.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from brainsmith.errors import ConfigurationError, PluginError, nearest

Folding = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Loop:
    """One dimension that an operation iterates over.

    Args:
        name: the dimension, such as "K".
        fold: the folding parameter that unrolls it ("PE", "SIMD"), or None if it is not folded.
    """

    name: str
    fold: str | None = None


@dataclass(frozen=True, slots=True)
class Port:
    """A tensor that enters or leaves an operation.

    Args:
        name: the port, such as "x"; its stream is called `s_axis_x` or `m_axis_x`.
        dims: the loops that walk through the tensor, outermost first, in the order in which
            elements travel (channels last).
        direction: "in" or "out".
        static: a constant known at compile time (weights, thresholds), not a stream.
        extra: dimensions of a static tensor that no loop walks (all its elements are needed
            at once), appended after `dims`.
        optional: the port may be absent from a node.
        fold: the folding parameter of this port alone, which unrolls its last dimension in place
            of the loop's own. For operations that regroup elements (a width converter).
    """

    name: str
    dims: tuple[str, ...]
    direction: Literal["in", "out"] = "in"
    static: bool = False
    extra: tuple[str, ...] = ()
    optional: bool = False
    fold: str | None = None

    def __post_init__(self) -> None:
        if self.direction not in ("in", "out"):
            raise PluginError(
                f"port '{self.name}' has the direction '{self.direction}'", hint="'in' or 'out'"
            )


def stream_in(name: str, *dims: str, optional: bool = False, fold: str | None = None) -> Port:
    """A stream that enters the operation, walked by the loops `dims` (outermost first)."""
    return Port(name, dims, optional=optional, fold=fold)


def stream_out(name: str, *dims: str, fold: str | None = None) -> Port:
    """A stream that leaves the operation, walked by the loops `dims` (outermost first)."""
    return Port(name, dims, direction="out", fold=fold)


def static_in(name: str, *dims: str, extra: tuple[str, ...] = (), optional: bool = False) -> Port:
    """A constant tensor; `extra` are its trailing dimensions that no loop walks."""
    return Port(name, dims, static=True, extra=extra, optional=optional)


@dataclass(frozen=True, slots=True)
class LoopNest:
    """The loops and ports of an operation, with everything that a folding makes of them."""

    loops: tuple[Loop, ...]
    ports: tuple[Port, ...]

    def __post_init__(self) -> None:
        known = {loop.name for loop in self.loops}
        for port in self.ports:
            for dim in port.dims:
                if dim not in known:
                    raise PluginError(
                        f"port '{port.name}' is walked by '{dim}', which is no loop",
                        hint=nearest(dim, known),
                    )
            if port.fold and (not port.dims or self._loop(port.dims[-1]).fold):
                raise PluginError(
                    f"port '{port.name}' folds a loop that has a folding parameter of its own"
                )

    @property
    def folds(self) -> tuple[str, ...]:
        """Names of the folding parameters: of the loops, in their order, then of the ports."""
        loops = tuple(loop.fold for loop in self.loops if loop.fold)
        return loops + tuple(port.fold for port in self.ports if port.fold)

    def port(self, name: str) -> Port:
        for port in self.ports:
            if port.name == name:
                return port
        raise PluginError(
            f"there is no port '{name}'", hint=nearest(name, [p.name for p in self.ports])
        )

    def legal(self, dims: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
        """For each folding parameter, its legal values: the divisors of the loop, ascending."""
        legal = {loop.fold: divisors(dims[loop.name]) for loop in self.loops if loop.fold}
        for port in self.ports:
            if port.fold:
                legal[port.fold] = divisors(dims[port.dims[-1]])
        return legal

    def check(self, dims: Mapping[str, int], folding: Folding, where: str) -> None:
        """Raises ConfigurationError for an unknown folding parameter or an illegal value."""
        legal = self.legal(dims)
        for name, value in folding.items():
            if name not in legal:
                raise ConfigurationError(
                    f"unknown folding parameter '{name}'", where=where, hint=nearest(name, legal)
                )
            if value not in legal[name]:
                raise ConfigurationError(
                    f"{name}={value} does not divide the loop that it folds",
                    where=where,
                    hint=f"legal values: {', '.join(map(str, legal[name]))}",
                )

    def unroll(self, dim: str, folding: Folding) -> int:
        """How many iterations of the loop `dim` run in one cycle."""
        fold = self._loop(dim).fold
        if fold:
            return folding.get(fold, 1)
        # The narrowest port sets the pace of a loop that ports fold by themselves.
        own = [folding.get(p.fold, 1) for p in self.ports if p.fold and p.dims[-1] == dim]
        return min(own, default=1)

    def elements(self, port: str, folding: Folding) -> int:
        """Elements per beat of a port."""
        declared = self.port(port)
        if declared.fold:
            outer = math.prod(self.unroll(dim, folding) for dim in declared.dims[:-1])
            return outer * folding.get(declared.fold, 1)
        return math.prod(self.unroll(dim, folding) for dim in declared.dims)

    def beats(self, port: str, dims: Mapping[str, int], folding: Folding) -> int:
        """Beats per frame of a stream port."""
        size = math.prod(dims[dim] for dim in self.port(port).dims)
        return size // self.elements(port, folding)

    def cycles(self, dims: Mapping[str, int], folding: Folding) -> int:
        """Ideal cycles per frame: all iterations over all that run at once."""
        return math.prod(dims[loop.name] // self.unroll(loop.name, folding) for loop in self.loops)

    def _loop(self, name: str) -> Loop:
        for loop in self.loops:
            if loop.name == name:
                return loop
        raise PluginError(
            f"there is no loop '{name}'", hint=nearest(name, [loop.name for loop in self.loops])
        )


def divisors(n: int) -> tuple[int, ...]:
    """All divisors of n >= 1, ascending."""
    low = [d for d in range(1, math.isqrt(n) + 1) if n % d == 0]
    return tuple(low + [n // d for d in reversed(low) if d * d != n])
