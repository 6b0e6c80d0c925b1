"""What the elementwise modules cost, fitted to `measured.json`."""

from __future__ import annotations

import math

from brainsmith.api import IntType, Resources
from brainsmith.builtin.kernels.common.memories import SIX_INPUTS, block_rams, table_joins
from brainsmith.builtin.kernels.elementwise.lanes import Lane
from brainsmith.builtin.kernels.matmul.parts import distinct


def resources_of(lane: Lane, lanes: int, family: str) -> Resources:
    """LUT, FF, DSP and BRAM; xcup is taken for xc7.

    DSP holds for operands that fit one multiplier block (18 bits) and is a guess above.
    """
    wide = family in SIX_INPUTS
    rows = 0 if lane.constants is None else len(lane.constants)
    fold = (rows - 1).bit_length() if rows else 0
    luts = lanes * _operation(lane, rows, family) + _control(lane, fold, wide)
    if rows > 1 and not lane.block:
        columns = lanes * lane.b.bits
        luts += _memory(lane, rows, columns, wide) + _joins(family, rows, columns)
    return Resources(
        LUT=luts,
        FF=_flops(lane, lanes, rows, wide) + fold + lane.latency,
        DSP=lanes * _blocks(lane) if lane.blocks else 0,
        BRAM=block_rams(family, lanes * lane.b.bits, rows) if lane.block else 0,
    )


def _operation(lane: Lane, rows: int, family: str) -> float:
    wide = family in SIX_INPUTS
    a, b = lane.a.bits, lane.b.bits
    if rows > 1:  # bits of constants that are always equal are one
        b = round(distinct(_kinds(rows), b))
    if lane.blocks:
        return 0
    if lane.multiply:
        if rows == 1:  # a constant has about every other bit set: an adder for each
            return a * b / 2
        a, b = max(a, b), min(a, b)
        digits = -(-b // 2) - 0.25 * (b % 2)  # rows of the product, each of about `a` sums
        row, join, spare = (4.00, 1.42, 1.39) if wide else (8.01, 3.08, 3.47)
        luts = digits * (row * a - spare * (a + b)) + join * (digits - 1) * (a + b - 2)
        return max(float(a), luts)
    width = max(lane.a.bits, lane.b.bits)
    if wide:
        return 0.4 * width if rows == 1 else width
    if family == "ice40":  # a LUT a bit, the carry beside it
        return width + (rows != 1)
    # A carry chain on ECP5: two bits a cell of two LUTs, and the cells before and behind it.
    return 2 * math.ceil((width + 1) / 2) + 4


def _memory(lane: Lane, rows: int, columns: int, wide: bool) -> float:
    """LUTs of constants in logic; few rows have few different columns, or vanish in adders."""
    if not wide:
        return min(columns, 1 << min(rows - 1, 32)) * max(1.0, rows / 16)
    if lane.blocks:
        return _varying(rows, columns) * max(1.0, rows / 64)
    if rows < 32:
        return columns * (0.25 if lane.multiply else 0.0)
    return columns * rows / 64


def _joins(family: str, rows: int, columns: int) -> float:
    """LUTs that join the tables of constants in logic, beyond the multiplexers beside LUTs."""
    if family == "ice40":
        return columns * table_joins(family, rows)
    joined, ways = (256, 4) if family in SIX_INPUTS else (64, 2)
    banks = -(-rows // joined)
    return 1.6 * columns * (banks - 1) / (ways - 1)


def _varying(rows: int, columns: int) -> float:
    """Columns of random constants that differ from all others and are not the same in all rows."""
    kinds = _kinds(rows)
    return distinct(kinds, columns) * (1 - 2 / kinds)


def _kinds(rows: int) -> int:
    """How many different columns there are, or as good as infinitely many."""
    return 1 << min(rows, 32)


def _control(lane: Lane, fold: int, wide: bool) -> float:
    """LUTs of the handshake and of the counter of beats, which a block RAM wants ahead."""
    if lane.constants is None:
        return 5
    if lane.block:
        return 3 + (3.2 if wide else 6.8) * fold
    return 3 + (2.5 if wide else 3.3) * fold


def _flops(lane: Lane, lanes: int, rows: int, wide: bool) -> int:
    result = lanes * lane.y.bits
    if not lane.multiply:
        return result
    constant = lanes * lane.b.bits
    if rows:
        constant = round(_varying(rows, constant))
    if lane.blocks and wide:  # the registers of the block, but those of constants from logic
        return 0 if not rows or lane.block else constant
    return result + lanes * lane.a.bits + constant


def _blocks(lane: Lane) -> int:
    return math.ceil(_wide(lane.a) / 18) * math.ceil(_wide(lane.b) / 18)


def _wide(dtype: IntType) -> int:
    """Bits of the two's complement that holds the datatype."""
    if dtype.bipolar:
        return 2
    return dtype.bits + (not dtype.signed)
