"""How the elements of a stream are told to modules."""

from __future__ import annotations

from brainsmith.api import IntType


def element_parameters(name: str, dtype: IntType) -> dict[str, int]:
    """The parameters NAME_BITS, NAME_SIGNED (two's complement) and NAME_BIPOLAR."""
    return {
        f"{name}_BITS": dtype.bits,
        f"{name}_SIGNED": int(dtype.signed and not dtype.bipolar),
        f"{name}_BIPOLAR": int(dtype.bipolar),
    }
