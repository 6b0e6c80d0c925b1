"""What the binary search of `bs_thresholding` holds: levels, thresholds, offset."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import numpy as np

from brainsmith.api import KernelConfig, PluginError
from brainsmith.builtin.kernels.common.memories import SIX_INPUTS
from brainsmith.builtin.kernels.common.packing import rows_of

# From here on a level's memory costs more LUTs than a block RAM is worth: a LUT of six inputs holds
# four times the bits of one of four.
_BLOCK_BITS, _BLOCK_BITS_OF_SIX = 4096, 8192
_BLOCK_ROWS = 256
# From here on reading a memory of logic takes a cycle of its own.
_REGISTER_ROWS = 128


@dataclass(frozen=True)
class Search:
    """The search of one configuration.

    Attributes:
        levels: comparisons a value; 2^levels - 1 thresholds a channel.
        folds: rows of thresholds that differ from beat to beat: C / PE, or 1.
        lanes: channels a beat.
        bits: of a threshold, which may need one more than the input.
        base: code at a count of 0.
        step: between two codes.
        table: int64 (folds, lanes, 2^levels - 1), in the numbers of the input's code.
        register_from: the first level that takes a cycle to read its memory.
        block_from: the first level whose memory is block RAM, which takes two.
    """

    levels: int
    folds: int
    lanes: int
    bits: int
    base: int
    step: int
    table: np.ndarray
    register_from: int
    block_from: int

    @property
    def latency(self) -> int:
        """Cycles from a beat to its codes."""
        return self.levels + sum(self.reads(level) for level in range(self.levels))

    def reads(self, level: int) -> int:
        """Cycles from a level's address to its threshold."""
        return (level >= self.register_from) + (level >= self.block_from)

    def rows(self, level: int) -> np.ndarray:
        """Thresholds of a level, int64 (folds * 2^level, lanes): row fold * 2^level + prefix."""
        prefix = np.arange(1 << level)
        index = ((2 * prefix + 1) << (self.levels - 1 - level)) - 1
        return self.table[:, :, index].transpose(0, 2, 1).reshape(-1, self.lanes)

    def memories(self) -> dict[str, np.ndarray]:
        """The memory images of all levels by parameter."""
        return {
            f"MEMORY_{level}": rows_of(self.rows(level), self.bits) for level in range(self.levels)
        }


def search_of(config: KernelConfig) -> Search:
    """The search of a configuration.

    Thresholds outside the reachable range count as always or never reached. Where fewer than
    2^levels - 1 are given, always-reached ones are put in front or never-reached ones behind,
    whichever costs less: the former shift `base`, the latter may need another bit.
    """
    dtype = config.dtypes["x"]
    low, high = config.ranges.get("x", (dtype.min, dtype.max))
    table = config.static("thresholds")
    limit = dtype.max
    if dtype.bipolar:  # in the hardware the bit itself is compared
        table, low, high, limit = (table + 2) // 2, (low + 1) // 2, (high + 1) // 2, 1
    table = np.clip(table, low, high + 1)
    base, step = code_of(config)
    levels = int(table.shape[1]).bit_length()
    missing = (1 << levels) - 1 - table.shape[1]
    if missing and _in_front(base, step, missing, levels, spare=high < limit):
        table = np.pad(table, ((0, 0), (missing, 0)), constant_values=low)
        base -= step * missing
    elif missing:
        table = np.pad(table, ((0, 0), (0, missing)), constant_values=high + 1)
    bits = dtype.bits + int(table.max() > limit)
    table = table.reshape(-1, config.pe, table.shape[1])
    if (table == table[:1]).all():
        table = table[:1]
    folds = len(table)
    style = str(config.params.get("ram_style", "auto"))
    block_from = _block_from(levels, folds, bits, style, config.family)
    return Search(
        levels, folds, config.pe, bits, base, step, table,
        register_from=min(_first(levels, folds, _REGISTER_ROWS), block_from),
        block_from=block_from,
    )  # fmt: skip


def code_of(config: KernelConfig) -> tuple[int, int]:
    """Base and step of the code as it travels; a bipolar code is the bit itself.

    Raises:
        PluginError: a bipolar output whose codes are not -1 and 1.
    """
    base = int(cast(int, config.attributes.get("base", 0)))
    step = int(cast(int, config.attributes.get("step", 1)))
    if not config.dtypes["y"].bipolar:
        return base, step
    if (base, step, config.static("thresholds").shape[1]) != (-1, 2, 1):
        raise PluginError("bipolar codes need one threshold, base -1 and step 2", where=config.node)
    return 0, 1


def _in_front(base: int, step: int, missing: int, levels: int, *, spare: bool) -> bool:
    """Whether to fill up in front: where the bits of the count then are those of the code."""

    def free(offset: int) -> bool:
        return step == 1 and offset % (1 << (levels - 1)) == 0

    return not spare or (free(base - missing) and not free(base))


def _block_from(levels: int, folds: int, bits: int, style: str, family: str) -> int:
    if style == "distributed":
        return levels
    if style == "block":
        # A level of a few rows is no block RAM; the last level always is one.
        return min(_first(levels, folds, 64), levels - 1)
    wanted = _BLOCK_BITS_OF_SIX if family in SIX_INPUTS else _BLOCK_BITS
    return _first(levels, folds, max(_BLOCK_ROWS, math.ceil(wanted / bits)))


def _first(levels: int, folds: int, rows: int) -> int:
    """The first level whose memory has that many rows, or `levels`."""
    return next((level for level in range(levels) if folds << level >= rows), levels)
