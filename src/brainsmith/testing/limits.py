"""What a kernel's constraints leave open: sizes and datatypes that are worth a test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from brainsmith.api import LoopNest
from brainsmith.errors import PluginError
from brainsmith.model.datatypes import BIPOLAR, IntType

_SIZES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16)
_WIDTHS = (1, 2, 3, 4, 5, 6, 7, 8, 12, 16)
# From the plainest on: what is drawn from a list is made smaller towards its beginning.
_DTYPES = (
    *(IntType(bits) for bits in _WIDTHS),
    *(IntType(bits, signed=True) for bits in _WIDTHS[1:]),
    BIPOLAR,
)


class Limits:
    """The sizes and datatypes that a kernel's constraints allow.

    Args:
        nest: of the operation.
        constraints: of the kernel; those that name other facts than sizes and datatypes are for
            whoever tries what is drawn.
    """

    def __init__(self, nest: LoopNest, constraints: Mapping[str, Any]) -> None:
        self.nest = nest
        self._constraints = constraints
        extra = [name for port in nest.ports for name in port.extra]
        loops = [loop.name for loop in nest.loops]
        self._sizes = {name: self._sizes_of(name) for name in dict.fromkeys([*loops, *extra])}
        inputs = [port.name for port in nest.ports if port.direction == "in"]
        self._dtypes = {port: self._dtypes_of(port) for port in inputs}
        self.size: int = max(1, int(constraints.get("min_size", 1)))

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
        least = max(1, int(self._constraints.get(f"min_{name}", 1)))
        most = self._constraints.get(f"max_{name}", least + 15 * step)
        first = -(-least // step)
        return [step * (first + n - 1) for n in _SIZES if step * (first + n - 1) <= most]

    def _dtypes_of(self, port: str) -> list[IntType]:
        least = self._constraints.get(f"min_{port}_bits", 1)
        most = self._constraints.get(f"max_{port}_bits", _WIDTHS[-1])
        named = [
            self._constraints[key]
            for key in ("supported_dtypes", f"supported_{port}_dtypes")
            if key in self._constraints
        ]
        pool = _named(named[0]) if named else _DTYPES
        found = [
            dtype
            for dtype in pool
            if least <= dtype.bits <= most and all(dtype.name in names for names in named)
        ]
        if not found:
            raise PluginError(f"the constraints allow no integer datatype for the port '{port}'")
        return found


def _named(names: Sequence[str]) -> list[IntType]:
    """The integer datatypes of these; others, such as float16, are left out."""
    known = {dtype.name: dtype for dtype in _DTYPES}
    found = []
    for name in names:
        if name in known:
            found.append(known[name])
        elif name.lstrip("U").startswith("INT"):
            found.append(IntType.parse(name))
    return sorted(found, key=lambda dtype: (dtype.bipolar, dtype.signed, dtype.bits))
