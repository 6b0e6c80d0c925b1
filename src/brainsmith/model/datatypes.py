"""Integer datatypes of values, named as in QONNX: INT4, UINT8, BIPOLAR, FLOAT32."""

from __future__ import annotations

import re
from dataclasses import dataclass

from brainsmith.errors import ModelError

_NAME = re.compile(r"(U?)INT([1-9][0-9]*)\Z")
_ALIASES = {"BINARY": "UINT1", "BOOL": "UINT1", "TERNARY": "INT2"}
MAX_BITS = 64


@dataclass(frozen=True, slots=True)
class IntType:
    """An integer datatype of `bits` bits.

    Signed integers are two's complement. Bipolar is one bit: 0 stands for -1 and 1 for +1.
    """

    bits: int
    signed: bool = False
    bipolar: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= MAX_BITS:
            raise ModelError(f"an integer of {self.bits} bits", hint=f"1 to {MAX_BITS} bits")
        if self.bipolar and (self.bits != 1 or not self.signed):
            raise ModelError("a bipolar datatype has one bit and is signed")

    @property
    def name(self) -> str:
        if self.bipolar:
            return "BIPOLAR"
        return f"{'' if self.signed else 'U'}INT{self.bits}"

    @property
    def min(self) -> int:
        if self.bipolar:
            return -1
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def max(self) -> int:
        if self.bipolar:
            return 1
        return (1 << (self.bits - 1)) - 1 if self.signed else (1 << self.bits) - 1

    def holds(self, lo: int, hi: int) -> bool:
        """Whether every integer of [lo, hi] can be represented (bipolar lacks 0)."""
        if self.bipolar:
            return (lo, hi) in ((-1, -1), (1, 1))
        return self.min <= lo and hi <= self.max

    def __str__(self) -> str:
        return self.name

    @classmethod
    def parse(cls, name: str) -> IntType:
        """The datatype called `name`; raises ModelError for a name that is no integer type."""
        if name == "BIPOLAR":
            return BIPOLAR
        match = _NAME.match(_ALIASES.get(name, name))
        if match is None or int(match[2]) > MAX_BITS:
            raise ModelError(
                f"'{name}' is not an integer datatype",
                hint="INT1 to INT64, UINT1 to UINT64, BIPOLAR, BINARY, TERNARY",
            )
        return cls(int(match[2]), signed=not match[1])

    @classmethod
    def covering(cls, lo: int, hi: int) -> IntType:
        """The smallest signed or unsigned integer type that holds [lo, hi]."""
        if lo > hi:
            raise ModelError(f"an empty range [{lo}, {hi}]")
        if lo >= 0:
            return cls(max(1, hi.bit_length()))
        return cls(max((-lo - 1).bit_length(), hi.bit_length() if hi > 0 else 0) + 1, signed=True)


BIPOLAR = IntType(1, signed=True, bipolar=True)
