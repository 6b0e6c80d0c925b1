"""LUTs of counters that wrap at a constant, fitted to Yosys 0.70."""

from __future__ import annotations

from brainsmith.builtin.kernels.common.memories import SIX_INPUTS


def counter_luts(family: str, *sizes: int) -> float:
    """LUTs of counters of so many steps each, with the comparisons of where they stand."""
    bits = [(size - 1).bit_length() for size in sizes]
    if family in SIX_INPUTS:
        return 1.75 * sum(bits)
    if family == "ice40":  # whose carry chains cost nothing to enter and leave
        return 1.9 * sum(bits)
    return sum(1.75 * n if n <= 4 else 6 + 2.5 * n for n in bits)


def counter_flops(*sizes: int) -> int:
    """Flip-flops of counters of so many steps each."""
    return sum((size - 1).bit_length() for size in sizes)
