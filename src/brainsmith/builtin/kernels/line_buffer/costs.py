"""What a line buffer costs, fitted to `measured.json`."""

from __future__ import annotations

import numpy as np

from brainsmith.api import Resources
from brainsmith.builtin.kernels.common.memories import (
    SIX_INPUTS,
    block_banks,
    block_rams,
    lut_ram,
    multiplexer,
)
from brainsmith.builtin.kernels.line_buffer.buffer import Buffer
from brainsmith.builtin.kernels.line_buffer.walk import Walk

# LUTs of the control: as such, for each bit of a counter, for each bit of the wrap at ROWS.
_CONTROL = {"ecp5": (-4.2, 3.25, 2.15), "xc7": (14.8, 1.33, 4.9), "ice40": (12.6, 1.74, -3.15)}


def resources_of(buffer: Buffer) -> Resources:
    """LUT, FF and BRAM; xcup is taken for xc7."""
    loops = _counted(buffer.walk)
    address = (buffer.rows - 1).bit_length()
    counters = 2 * address + _ahead_bits(buffer)
    sizes = [(trips - 1).bit_length() for trips in loops]
    # Behind 2**k iterations follows but one: a bit of the counter is the flag of the last.
    flags = sum((trips - 1) & (trips - 2) != 0 for trips in loops)
    fixed, each, wrap = _CONTROL["xc7" if buffer.family in SIX_INPUTS else buffer.family]
    # The address that is written only counts, which costs little.
    bits = counters - address + sum(sizes)
    return _memory(buffer) + Resources(
        LUT=fixed + each * bits + wrap * _wrap_bits(buffer.rows, address),
        FF=counters + sum(sizes) + flags + 2,
    )


def _counted(walk: Walk) -> list[int]:
    """Trips of the loops that have counters. Rows have none if a frame follows like a row."""
    like_rows = walk.frame == walk.trips[0] * walk.strides[0]
    return [trips for trips in walk.trips[1 if like_rows else 0 :] if trips > 1]


def _ahead_bits(buffer: Buffer) -> int:
    """Bits of the signed count of beats beyond those that a window needs."""
    need, jumps = buffer.walk.need, np.diff(buffer.walk.starts())
    return max(need, buffer.rows - need, int(jumps.max())).bit_length() + 1


def _wrap_bits(rows: int, address: int) -> int:
    """Bits of an address in which it wraps by logic; none for a power of two."""
    step = rows & -rows
    return 0 if rows == step else address - step.bit_length() + 1


def _memory(buffer: Buffer) -> Resources:
    """The memory and the register behind it."""
    family, width, rows = buffer.family, buffer.width, buffer.rows
    if buffer.style == "block":
        banks = block_banks(family, width, rows)
        return Resources(
            LUT=multiplexer(family, banks, width),
            FF=(banks - 1).bit_length(),
            BRAM=block_rams(family, width, rows),
        )
    if buffer.style == "logic":  # an enable a row, and a multiplexer
        return Resources(LUT=rows + multiplexer(family, rows, width), FF=width * (rows + 1))
    return Resources(LUT=lut_ram(family, width, rows), FF=width)
