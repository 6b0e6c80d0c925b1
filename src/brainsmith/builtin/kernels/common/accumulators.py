"""`bs_accumulators` as a configuration has it, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass

from brainsmith.api import IntType, KernelConfig, Resources
from brainsmith.builtin.kernels.common.counters import counter_flops, counter_luts
from brainsmith.builtin.kernels.common.memories import (
    SIX_INPUTS,
    block_rams,
    lut_ram,
    multiplexer,
    ram_style,
)

# Bits of a sum on ecp5 up to which Yosys makes no carry chain.
_SHORT_SUM = 4


@dataclass(frozen=True)
class Accumulators:
    """The parameters of the module.

    Attributes:
        max: maxima, else sums.
        lanes: accumulators of a beat.
        folds: beats of them.
        count: terms of each.
        term_bits: of a term, those that are the same for all left out.
        term_signed: whether terms may be negative.
        bits: of an accumulator.
        style: where they lie if there are several beats: "distributed", "block" or "logic".
    """

    max: bool
    lanes: int
    folds: int
    count: int
    term_bits: int
    term_signed: bool
    bits: int
    style: str

    @classmethod
    def of(
        cls,
        config: KernelConfig,
        term: IntType,
        bits: int,
        *,
        greatest: bool = False,
        asked: str = "auto",
    ) -> Accumulators:
        """Those of a configuration with the dimensions K and C, C folded by PE.

        Args:
            config: of the kernel.
            term: the datatype of a term.
            bits: of an accumulator.
            greatest: maxima, else sums.
            asked: the style, or "auto" for what is cheaper on the device.
        """
        lanes, folds = config.pe, config.dims["C"] // config.pe
        if (config.family, asked) == ("ice40", "distributed"):
            style = "logic"
        else:
            style = ram_style(asked, config.family, lanes * bits, folds, config.node)
        return cls(greatest, lanes, folds, config.dims["K"], term.bits, term.signed, bits, style)

    @property
    def latency(self) -> int:
        """Cycles from the last term to the result."""
        return 1 if self.folds == 1 else 2


def resources_of(it: Accumulators, family: str, *, from_blocks: bool = False) -> Resources:
    """Fitted to the `measured.json` of pool and depthwise; xcup is taken for xc7.

    Args:
        it: what accumulates.
        family: of the device.
        from_blocks: whether terms come from multiplier blocks. Those of xc7 have a register for
            them, and an adder for sums that lie in no memory.
    """
    inside = from_blocks and family in SIX_INPUTS
    counters = counter_luts(family, it.folds, it.count)
    control = Resources(LUT=counters + 5, FF=counter_flops(it.folds, it.count) + 1)
    if it.folds > 1:
        return control + _adders(it, family) + _memory(it, family, inside)
    return control + _registers(it, inside) + (Resources() if inside else _adders(it, family))


def _adders(it: Accumulators, family: str) -> Resources:
    """Where terms meet accumulators."""
    if not it.max:
        return Resources(LUT=it.lanes * _adder(it, family))
    # A register keeps the greater value by its enable, a memory needs a multiplexer.
    chooses = it.lanes * it.bits if it.folds > 1 else 0
    return Resources(LUT=it.lanes * _greater(it.bits, family) + chooses)


def _registers(it: Accumulators, inside: bool) -> Resources:
    """Results, and sums if these are not inside of multiplier blocks."""
    width = it.lanes * it.bits
    return Resources(FF=width + 1 if it.max else width if inside else 2 * width)


def _memory(it: Accumulators, family: str, inside: bool) -> Resources:
    """The memory, and the registers of terms, rows, results and where they stand."""
    width = it.lanes * it.bits
    terms = 0 if inside else it.lanes * it.term_bits
    flops = terms + width + counter_flops(it.folds) + 3 + it.max
    if it.style == "block":
        # No block RAM of ice40 reads zeros on demand.
        zeros = width if family == "ice40" and not it.max else 0
        blocks = block_rams(family, width, it.folds)
        return Resources(LUT=zeros, FF=flops + (zeros > 0), BRAM=blocks)
    if it.style == "logic":
        luts = it.folds + multiplexer(family, it.folds, width)
        return Resources(LUT=luts, FF=flops + width * (it.folds + 1))
    return Resources(LUT=lut_ram(family, width, it.folds), FF=flops + width)


def _greater(bits: int, family: str) -> float:
    """A comparison of two values."""
    if family in SIX_INPUTS:
        return max(1, bits - 1)
    if family == "ice40":
        return max(1.0, 1.5 * bits - 1)
    return max(min(bits, 2), 1.5 * bits - 2)


def _adder(it: Accumulators, family: str) -> float:
    """A term and an accumulator: a carry chain, which short ones on ecp5 do without."""
    if family in SIX_INPUTS:  # a bit to which zero is added needs no LUT
        return it.bits if it.term_signed else min(it.term_bits, it.bits)
    if family == "ice40":
        return it.bits - (not it.term_signed)
    if it.bits <= _SHORT_SUM:
        return 1.25 * it.bits
    # Two bits a cell of two LUTs, and the cells before and behind them.
    return 2 * -(-it.bits // 2) + 4
