"""What `bs_thresholding` costs, fitted to `measured.json`."""

from __future__ import annotations

import math
from collections.abc import Iterator

from brainsmith.api import Resources
from brainsmith.builtin.kernels.common.memories import SIX_INPUTS, sliced_block_rams, table_joins
from brainsmith.builtin.kernels.thresholding.search import Search

# LUTs for each bit of a threshold, of memory and comparator together, by log2 of the rows. Lanes
# share the memory's logic in level 0, where they read the same row.
_WIDE_NEXT = (0.22, 0.42, 0.80, 0.80, 1.60, 1.75, 1.83)
_WIDE_FIRST = (0.22, 0.42, 0.60, 0.77, 1.35, 1.75, 1.83)
_NARROW_NEXT = (0.33, 0.63, 1.50, 1.90, 2.50, 3.20, 5.50)
_NARROW_FIRST = (0.33, 0.63, 1.00, 1.50, 2.50, 3.20, 5.50)
# Of the comparator alone, beside a memory of more rows or in block RAM.
_WIDE_COMPARE, _NARROW_COMPARE = 0.85, 1.50

# Thresholds ascend, so that the tables of larger memories are much alike and join for less.
_UNLIKE_ROWS = 128


def resources_of(search: Search, x_bits: int, family: str) -> Resources:
    """LUT, FF and BRAM; xcup is taken for xc7."""
    luts = sum(_level_luts(search, level, family) for level in range(search.levels))
    delays = list(_delays(search, x_bits))
    shifted = [bits for bits, cycles in delays if _is_shift_register(cycles, family)]
    delayed = sum(
        bits * cycles for bits, cycles in delays if not _is_shift_register(cycles, family)
    )
    return Resources(
        LUT=luts + 4 + 2 * _fold_bits(search) + sum(shifted),
        FF=delayed + _results(search),
        BRAM=sum(
            sliced_block_rams(family, search.lanes, search.bits, search.folds << level)
            for level in range(search.block_from, search.levels)
        ),
    )


def _level_luts(search: Search, level: int, family: str) -> float:
    rows, bits = search.folds << level, search.bits * search.lanes
    wide = family in SIX_INPUTS
    compare = _WIDE_COMPARE if wide else _NARROW_COMPARE
    if level >= search.block_from:
        return bits * compare
    joins = bits * table_joins(family, min(rows, _UNLIKE_ROWS))
    first, following = (_WIDE_FIRST, _WIDE_NEXT) if wide else (_NARROW_FIRST, _NARROW_NEXT)
    table = following if level else first
    place = math.log2(rows)
    if place >= len(table) - 1:
        return joins + bits * (compare + _memory_luts(rows, wide))
    below = int(place)
    return joins + bits * (table[below] + (place - below) * (table[below + 1] - table[below]))


def _memory_luts(rows: int, wide: bool) -> float:
    """LUTs for each bit of a row, 64 rows and more: tables of 6 inputs and their multiplexer."""
    tables = rows / 64
    return tables + (tables - 1) / 3 if wide else 4 * tables + (tables - 1)


def _results(search: Search) -> int:
    """Registers of what is made: answers, thresholds that were read, the fold, valid bits."""
    rows_read = search.levels - search.register_from
    made = search.lanes * (search.levels + rows_read * search.bits)
    return made + _fold_bits(search) + search.latency


def _delays(search: Search, x_bits: int) -> Iterator[tuple[int, int]]:
    """Bits and cycles of what only waits, from one level that looks at it to the next.

    A level compares values when it has read its memory, and hands them on a cycle later; folds and
    answers of earlier levels address the memory, so they wait for the reading and the comparison.
    """
    for level in range(search.levels):
        reads = search.reads(level)
        yield search.lanes * x_bits, reads + (level > 0)
        yield search.lanes * level, reads + 1
        if level + 1 < search.levels:
            yield _fold_bits(search), reads + 1


def _is_shift_register(cycles: int, family: str) -> bool:
    """Whether Yosys makes a delay of that length one LUT a bit, where LUTs can shift."""
    return family in SIX_INPUTS and cycles >= 3


def _fold_bits(search: Search) -> int:
    return (search.folds - 1).bit_length()
