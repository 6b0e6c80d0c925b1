"""Where constants lie."""

from __future__ import annotations

LUT_INPUTS = {"ecp5": 4, "ice40": 4, "xc7": 6, "xcup": 6}
# How many LUTs of a family one of its block RAMs is worth: about the ratio of both on its parts.
_LUTS_PER_BRAM = {"ecp5": 400, "ice40": 170, "xc7": 190, "xcup": 190}


def constants_in_block(asked: str, family: str, width: int, rows: int) -> bool:
    """Whether constants lie in block RAM, not in LUTs.

    Args:
        asked: "distributed", "block", or "auto" for what is cheaper on the device.
        family: of the device.
        width: bits of a row.
        rows: how many.
    """
    if asked != "auto":
        return asked == "block"
    luts = width * -(-rows // (1 << LUT_INPUTS[family]))
    bits, deep = (16, 256) if family == "ice40" else (36, 512)
    return luts > _LUTS_PER_BRAM[family] * -(-width // bits) * -(-rows // deep)
