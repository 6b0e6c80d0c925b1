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
        fold: the folding parameter that unrolls the port's last dimension in place of a loop's
            own. For operations that regroup elements (a width converter, a concatenation).
        own: those of `dims` that no loop walks, since the operation visits the tensor in an order
            of its own (the image under a sliding window). Only `fold` unrolls one, and the
            kernel's `schedule` says when their beats are taken or given.
    """

    name: str
    dims: tuple[str, ...]
    direction: Literal["in", "out"] = "in"
    static: bool = False
    extra: tuple[str, ...] = ()
    optional: bool = False
    fold: str | None = None
    own: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.direction not in ("in", "out"):
            raise PluginError(
                f"port '{self.name}' has the direction '{self.direction}'", hint="'in' or 'out'"
            )


def stream_in(
    name: str,
    *dims: str,
    optional: bool = False,
    fold: str | None = None,
    own: tuple[str, ...] = (),
) -> Port:
    """A stream that enters the operation, walked by the loops `dims` (outermost first)."""
    return Port(name, dims, optional=optional, fold=fold, own=own)


def stream_out(name: str, *dims: str, fold: str | None = None, own: tuple[str, ...] = ()) -> Port:
    """A stream that leaves the operation, walked by the loops `dims` (outermost first)."""
    return Port(name, dims, direction="out", fold=fold, own=own)


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
            self._check_dims(port, known)
            if port.fold and not (port.dims and self._is_unfolded(port, port.dims[-1])):
                raise PluginError(
                    f"port '{port.name}' folds a loop that has a folding parameter of its own"
                )

    @staticmethod
    def _check_dims(port: Port, loops: set[str]) -> None:
        for dim in port.dims:
            if dim not in loops and dim not in port.own:
                raise PluginError(
                    f"port '{port.name}' is walked by '{dim}', which is no loop",
                    hint=nearest(dim, loops),
                )
        for dim in port.own:
            if dim in loops or dim not in port.dims:
                raise PluginError(
                    f"port '{port.name}' calls '{dim}' its own",
                    hint="name a dimension of the port that is no loop",
                )

    @property
    def own_dims(self) -> tuple[str, ...]:
        """Dimensions that are no loops but a port's own, each once."""
        return tuple(dict.fromkeys(dim for port in self.ports for dim in port.own))

    @property
    def folds(self) -> tuple[str, ...]:
        """Names of the folding parameters: of the loops, in their order, then of the ports."""
        named = (*(loop.fold for loop in self.loops), *(port.fold for port in self.ports))
        return tuple(dict.fromkeys(fold for fold in named if fold))

    def port(self, name: str) -> Port:
        for port in self.ports:
            if port.name == name:
                return port
        raise PluginError(
            f"there is no port '{name}'", hint=nearest(name, [p.name for p in self.ports])
        )

    def legal(self, dims: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
        """For each folding parameter, its legal values: the divisors of all that it folds."""
        folded = [(loop.fold, loop.name) for loop in self.loops]
        folded += [(port.fold, port.dims[-1]) for port in self.ports if port.fold]
        sizes: dict[str, int] = {}
        for fold, dim in folded:
            if fold:
                sizes[fold] = math.gcd(sizes.get(fold, 0), dims[dim])
        return {fold: divisors(size) for fold, size in sizes.items()}

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
        dims = declared.dims[:-1] if declared.fold else declared.dims
        walked = (self.unroll(dim, folding) for dim in dims if dim not in declared.own)
        return math.prod(walked) * (folding.get(declared.fold, 1) if declared.fold else 1)

    def beats(self, port: str, dims: Mapping[str, int], folding: Folding) -> int:
        """Beats per frame of a stream port."""
        size = math.prod(dims[dim] for dim in self.port(port).dims)
        return size // self.elements(port, folding)

    def cycles(self, dims: Mapping[str, int], folding: Folding) -> int:
        """Ideal cycles per frame: the iterations, or the beats of a port where these are more.

        (A port with dimensions of its own may have more; it moves one a cycle.)
        """
        own = (self.beats(port.name, dims, folding) for port in self.ports if port.own)
        return max(self.iterations(dims, folding), *own, 1)

    def iterations(self, dims: Mapping[str, int], folding: Folding) -> int:
        """Iterations per frame of the whole nest, over all that run at once."""
        return math.prod(dims[loop.name] // self.unroll(loop.name, folding) for loop in self.loops)

    def _is_unfolded(self, port: Port, dim: str) -> bool:
        return dim in port.own or not self._loop(dim).fold

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
