"""What memories cost on each family, as Yosys 0.70 maps them."""

from __future__ import annotations

from brainsmith.api import ConfigurationError

SIX_INPUTS = ("xc7", "xcup")  # families whose LUTs have six inputs; the others' have four

# Shapes (bits, rows) of a block RAM: 18 kbit; RAMB36 of xc7 and xcup counts as two.
_BLOCKS = {
    "ecp5": ((36, 512), (18, 1024), (9, 2048), (4, 4096), (2, 8192), (1, 16384)),
    "xc7": ((36, 512), (18, 1024), (9, 2048), (4, 4096), (2, 8192), (1, 16384)),
    "ice40": ((16, 256), (8, 512), (4, 1024), (2, 2048)),
}
# LUTs for which a device has one block RAM, about: a memory that needs more is better in one.
_BLOCK_PRICE = {"ecp5": 300, "xc7": 200, "xcup": 200}
# On ice40, which has no LUT RAM, bits of a memory that are still better in registers.
_ICE40_REGISTERS = 64


def ram_style(asked: str, family: str, width: int, rows: int, where: str) -> str:
    """Where a memory lies: as asked for, or where it is cheaper on the device.

    Args:
        asked: "auto", "distributed" (LUT RAM) or "block".
        family: of the device.
        width: bits of a row.
        rows: of the memory, which has one read and one write port.
        where: the node, for the error.

    Returns:
        "distributed", "block", or "logic": registers.

    Raises:
        ConfigurationError: LUT RAM is asked for, and the device has none.
    """
    if family == "ice40":
        if asked == "distributed":
            raise ConfigurationError(
                "ram_style=distributed needs LUT RAM, of which ice40 has none",
                where=where,
                hint="choose block, or auto, which takes registers for a few bits",
            )
        return "block" if asked == "block" or width * rows > _ICE40_REGISTERS else "logic"
    if asked != "auto":
        return asked
    luts = lut_ram(family, width, rows)
    return (
        "block" if luts > _BLOCK_PRICE[family] * block_rams(family, width, rows) else "distributed"
    )


def block_rams(family: str, width: int, rows: int) -> int:
    """Block RAMs of a memory with one read and one write port, in the shape that needs fewest."""
    return _shape(family, width, rows)[0]


def block_banks(family: str, width: int, rows: int) -> int:
    """How many block RAMs of that shape lie behind each other, for their multiplexer."""
    return _shape(family, width, rows)[1]


def multiplexer(family: str, banks: int, width: int) -> int:
    """LUTs that choose one of `banks` words: 2 words a LUT of 4 inputs, 4 words one of 6."""
    ways = 4 if family in SIX_INPUTS else 2
    return width * -(-(banks - 1) // (ways - 1))


def _shape(family: str, width: int, rows: int) -> tuple[int, int]:
    """Block RAMs and banks; of equally small shapes the one with fewest banks."""
    shapes = _BLOCKS["xc7" if family == "xcup" else family]
    costs = ((-(-width // bits), -(-rows // deep)) for bits, deep in shapes)
    return min((across * banks, banks) for across, banks in costs)


def table_joins(family: str, rows: int) -> int:
    """LUTs for each bit of a memory of constants in logic that join its tables to 64 rows.

    Only ice40 needs them: the other families have multiplexers for that beside their LUTs.
    """
    return -(-rows // 16) - -(-rows // 64) if family == "ice40" else 0


def sliced_block_rams(family: str, lanes: int, bits: int, rows: int) -> int:
    """Block RAMs of `lanes` copies of a memory of `lanes * bits` columns, of which each copy
    reads its own columns alone: those that none of these lie in fall away."""
    width = lanes * bits
    shapes = _BLOCKS["xc7" if family == "xcup" else family]
    options = [(deep_bits, deep, 1) for deep_bits, deep in shapes]
    if family in SIX_INPUTS:  # two halves together, which Yosys takes where they cost no more
        options = [(2 * wide, deep, 2) for wide, deep in shapes] + options

    def cost(option: tuple[int, int, int]) -> tuple[int, int]:
        bits_there, deep, units = option
        banks = -(-rows // deep)
        return units * -(-width // bits_there) * banks, banks

    slice_bits, deep, units = min(options, key=cost)
    touched = sum(
        (lane * bits + bits - 1) // slice_bits - lane * bits // slice_bits + 1
        for lane in range(lanes)
    )
    return units * touched * -(-rows // deep)


def lut_ram(family: str, width: int, rows: int) -> int:
    """LUTs of a memory in LUT RAM with one read and one write port, and of its read multiplexer.

    xc7: RAM32M holds 6 bits of 32 rows, RAM64M 3 bits of 64, in 4 LUTs. ecp5: TRELLIS_DPR16X4
    holds 4 bits of 16 rows in 6 LUTs.
    """
    if family not in SIX_INPUTS:
        banks = -(-rows // 16)
        return 6 * banks * -(-width // 4) + multiplexer(family, banks, width)
    if rows <= 32:
        return 4 * -(-width // 6)
    banks = -(-rows // 64)
    return 4 * banks * -(-width // 3) + multiplexer(family, banks, width)
