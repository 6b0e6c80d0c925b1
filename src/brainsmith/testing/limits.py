"""What a kernel's constraints leave open: sizes and datatypes that are worth a test."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from brainsmith.api import LoopNest
from brainsmith.errors import PluginError
from brainsmith.model.datatypes import BIPOLAR, MAX_BITS, IntType

_SIZES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16)
_WIDTHS = (1, 2, 3, 4, 5, 6, 7, 8, 12, 16)
_COMPUTED = 63  # bits of a number that 64-bit integers hold, signed or not


class Limits:
    """The sizes and datatypes that a kernel's constraints allow.

    Attributes:
        least_size, most_size: of all loops together.

    Args:
        nest: of the operation.
        constraints: of the kernel; those that name other facts than sizes and datatypes are for
            whoever tries what is drawn.

    Raises:
        PluginError: they leave nothing open.
    """

    def __init__(self, nest: LoopNest, constraints: Mapping[str, Any]) -> None:
        self.nest = nest
        self._constraints = constraints
        extra = [name for port in nest.ports for name in port.extra]
        loops = [loop.name for loop in nest.loops]
        self._sizes = {name: self._sizes_of(name) for name in dict.fromkeys([*loops, *extra])}
        inputs = [port.name for port in nest.ports if port.direction == "in"]
        self._dtypes = {port: self._dtypes_of(port) for port in inputs}
        self.least_size: int = max(1, math.ceil(constraints.get("min_size", 1)))
        self.most_size: float = constraints.get("max_size", math.inf)
        if self.most_size < self.least_size:
            raise PluginError("the constraints allow no size of all loops together")

    @property
    def dims(self) -> Mapping[str, Sequence[int]]:
        """Sizes by loop and extra dimension, ascending."""
        return self._sizes

    @property
    def dtypes(self) -> Mapping[str, Sequence[IntType]]:
        """Datatypes by input port, static ones included; the plainest first."""
        return self._dtypes

    def _sizes_of(self, name: str) -> list[int]:
        step = int(self._constraints.get(f"multiple_of_{name}", 1))
        least = max(1, math.ceil(self._constraints.get(f"min_{name}", 1)))
        most = self._constraints.get(f"max_{name}", math.inf)
        first = -(-least // step)
        found = [step * (first + n - 1) for n in _SIZES if step * (first + n - 1) <= most]
        if not found:
            raise PluginError(f"the constraints allow no size of '{name}'")
        return found

    def _dtypes_of(self, port: str) -> list[IntType]:
        least = max(1, math.ceil(self._constraints.get(f"min_{port}_bits", 1)))
        most = min(MAX_BITS, math.floor(self._constraints.get(f"max_{port}_bits", MAX_BITS)))
        named = [
            self._constraints[key]
            for key in ("supported_dtypes", f"supported_{port}_dtypes")
            if key in self._constraints
        ]
        bounded = f"max_{port}_bits" in self._constraints
        widest = min(most, _COMPUTED) if bounded else max(least, _WIDTHS[-1])
        pool = _named(named[0]) if named else _of_widths(least, widest)
        found = [
            dtype
            for dtype in pool
            if least <= dtype.bits <= most and all(dtype.name in names for names in named)
        ]
        if not found:
            raise PluginError(f"the constraints allow no integer datatype for the port '{port}'")
        return found


def _of_widths(least: int, most: int) -> list[IntType]:
    """Datatypes from the plainest on, as drawn ones are made smaller towards the beginning."""
    if least > most:
        return []
    inside = (bits for bits in _WIDTHS if least <= bits <= most)
    widths = sorted({*inside, least, (least + most) // 2, most})
    signed = [IntType(bits, signed=True) for bits in widths if bits > 1]
    return [*map(IntType, widths), *signed, *([BIPOLAR] if least == 1 else [])]


def _named(names: Sequence[str]) -> list[IntType]:
    """The integer datatypes of these; others, such as float16, are left out."""
    found = [
        IntType.parse(name)
        for name in names
        if name == BIPOLAR.name or name.lstrip("U").startswith("INT")
    ]
    return sorted(found, key=lambda dtype: (dtype.bipolar, dtype.signed, dtype.bits))
